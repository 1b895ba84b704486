import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatPosition } from '../changes/position.ts';
import type { PgRecord } from '../record/record.ts';
import { type TestApp, testApp } from '../testing/app.ts';
import { testDatabase } from '../testing/database.ts';
import { faultProxy } from '../testing/fault-proxy.ts';
import { openWriter } from '../testing/feed-recorder.ts';
import { count, history, range, standing, top } from '../views/leaderboard/queries.ts';
import { rows } from '../views/row-cache/queries.ts';

const DAY = '2026-03-04';
const BEST = [top({ board: 'games', window: 'overall', limit: 100 })] as const;

/** The boards of an app as `player score` lines, from the view alone; undefined while it cannot answer. */
function shown(app: TestApp): string[] | undefined {
  return app.views[0]!.readNow(BEST)?.results[0].map(({ row }) => `${row.username} ${row.score}`);
}

async function insert(record: PgRecord, ...games: [string, number][]): Promise<void> {
  for (const [username, score] of games) {
    await record.query('insert into leaderboard.games (username, gamedate, level, score) values ($1, $2, 1, $3)', [
      username,
      `${DAY} 12:00Z`,
      score,
    ]);
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`not in a minute: ${what}`);
  }
}

const shows = (app: TestApp, ...lines: string[]) =>
  until(`the board shows ${lines}; it shows ${shown(app)}`, () => JSON.stringify(shown(app)) === JSON.stringify(lines));

/** The session that streams to the app, on the server. */
const walSender = `select pid from pg_stat_replication where application_name like '%' and pid in (
  select active_pid from pg_replication_slots where database = current_database())`;

async function assertVerified(app: TestApp): Promise<void> {
  const report = await app.views[0]!.verify();
  assert.deepEqual(report.examples, []);
  assert.equal(report.drift, 0);
}

async function appWith(t: TestContext, ...games: [string, number][]): Promise<TestApp> {
  const app = await testApp(t);
  await insert(app.record, ...games);
  await until('all games are on the board', () => shown(app)?.length === games.length);
  return app;
}

test('rows inserted, changed, deleted and truncated by hand reach the view', async (t) => {
  const app = await appWith(t, ['ann', 5], ['bob', 7]);
  await shows(app, 'bob 7', 'ann 5');
  await app.record.query(`update leaderboard.games set score = 9 where username = 'ann'`);
  await shows(app, 'ann 9', 'bob 7');
  await app.record.query(`delete from leaderboard.games where username = 'bob'`);
  await shows(app, 'ann 9');
  await app.record.query('truncate leaderboard.games');
  await shows(app);
  await insert(app.record, ['cid', 1]);
  await shows(app, 'cid 1');
  await assertVerified(app);
  assert.equal(app.views[0]!.status().rebuilds, 0);
});

test('[SPEC 6] [rule 14] a lost stream leads to a rebuild, and nothing committed meanwhile is missing', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  await app.record.query(`select pg_terminate_backend(pid) from (${walSender}) as sender`);
  await insert(app.record, ['bob', 7]);
  await shows(app, 'bob 7', 'ann 5');
  await until('it was built again', () => app.live.status().reconnects === 1);
  await shows(app, 'bob 7', 'ann 5');
  await assertVerified(app);
});

/** Of the views; each projection has one of its own, which is durable. */
const SLOTS = `select temporary from pg_replication_slots
  where database = current_database() and slot_name like 'lockstep_main_%'`;

test('[SPEC 8] [rule 14] the slot is a temporary one: an application that is off keeps no WAL', async (t) => {
  const { record, url } = await testDatabase(t);
  const app = await testApp(t, { databaseUrl: url });
  assert.deepEqual(await record.query(SLOTS), [{ temporary: true }]);
  await app.stop();
  assert.deepEqual(await record.query(SLOTS), []);
});

test('[SPEC 6] [SPEC 8] [rule 14] past LOCKSTEP_WAL_LIMIT the slot is given up, and the views are built anew', async (t) => {
  const database = await testDatabase(t);
  const app = await testApp(t, { databaseUrl: database.url, walLimitBytes: 2 ** 24 });
  const view = app.views[0]!;
  const writer = await openWriter(database);
  try {
    await writer.sql('create table open_for_long (id integer); begin; insert into open_for_long values (1)');
    await app.record.query(
      `select pg_logical_emit_message(false, 'x', repeat('x', 1048576)) from generate_series(1, 20)`,
    );
    await until('it is given up', () => view.status().progress?.reason === 'wal limit');
    assert.equal((await view.read(BEST)).source, 'record');
    await writer.sql('commit');
  } finally {
    await writer.close();
  }
  await insert(app.record, ['ann', 5]);
  await shows(app, 'ann 5');
});

test('[rule 16] replication goes past the pooler where LOCKSTEP_REPLICATION_URL says so', async (t) => {
  const { url } = await testDatabase(t);
  const pooler = await faultProxy(t, url);
  for (const [settings, refused] of [
    [{ replicationUrl: url }, 0],
    [{}, 1],
  ] as const) {
    pooler.cutOn('replication\0database', 'before'); // of the message a connection starts with
    const app = await testApp(t, { databaseUrl: pooler.url, ...settings });
    await insert(app.record, ['ann', 5]);
    await until('the game is there', () => shown(app)?.includes('ann 5') ?? false);
    assert.equal(pooler.cuts, refused);
    await app.stop();
  }
});

test('[SPEC 6] [rule 15] DDL that changes rows without events leads to a rebuild', async (t) => {
  const app = await appWith(t, ['ann', 5], ['bob', 7]);
  for (const [ddl, ...lines] of [
    ['alter table leaderboard.games alter score type integer using score * 10', 'bob 70', 'ann 50'],
    [`alter table leaderboard.games alter username type text using upper(username)`, 'BOB 70', 'ANN 50'],
  ]) {
    const before = app.live.status().reconnects;
    await app.record.query(ddl!);
    await until('it was built again', () => app.live.status().reconnects > before);
    await shows(app, ...lines);
  }
  await assertVerified(app);
});

test('[rule 15] DDL that changes no row costs no rebuild', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  await app.record.query('create index on leaderboard.games (level)');
  await app.record.query('analyze leaderboard.games');
  await insert(app.record, ['bob', 7]);
  await shows(app, 'bob 7', 'ann 5');
  assert.equal(app.live.status().reconnects, 0);
});

test('[SPEC 5] a view that cannot be built is broken, answers from the record, and comes back', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  await app.record.query('alter table leaderboard.games rename column level to floor');
  await until('the view is not live', () => app.views[0]!.readNow(BEST) === undefined);
  await app.record.query('alter table leaderboard.games rename column floor to level');
  await shows(app, 'ann 5');
});

for (const [what, row, reason] of [
  [
    'a time',
    `(17, 'early', '0001-01-01Z', 1, 1)`,
    /row 17 of leaderboard.games: .* 0001-01-01T.*; expected a timestamp/,
  ],
  ['an id', `(9007199254740993, 'far', now(), 1, 1)`, /row 9007199254740993 of leaderboard.games: the column game_id/],
] as const) {
  test(`[SPEC 3] [SPEC 5] [SPEC 7] ${what} that boards cannot hold is named, streamed or loaded; without it they answer`, async (t) => {
    const streamed = await appWith(t, ['ann', 5]);
    const insertion = `insert into leaderboard.games (game_id, username, gamedate, level, score) values ${row}`;
    await streamed.record.query(insertion);
    await until('the view is broken', () => streamed.views[0]!.status().state === 'broken');
    await assertNamed(streamed, reason);
    const loaded = await streamed.restart();
    await until('the view is broken', () => loaded.views[0]!.status().state === 'broken');
    await assertNamed(loaded, reason);
    await loaded.record.query(`delete from leaderboard.games where username <> 'ann'`);
    await shows(loaded, 'ann 5');
    await until('the view is live', () => loaded.views[0]!.status().state === 'live');
    assert.equal((await fetch(`${loaded.url}/readyz`)).status, 200);
    await assertVerified(loaded);
  });
}

/** One row of two is held, the other one told of, and the record answers. */
async function assertNamed({ url, views: [view] }: TestApp, reason: RegExp): Promise<void> {
  assert.match(view!.status().fault!, reason);
  assert.match(await (await fetch(`${url}/readyz`)).text(), reason);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /view="games",state="broken"\} 1/);
  const { results, source } = await view!.read(BEST);
  assert.deepEqual([results[0].length, source], [2, 'record']);
  const { drift, compared, fault } = await view!.verify();
  assert.deepEqual([drift, compared], [0, 1]);
  assert.match(fault!, reason);
  await view!.rebuild();
  assert.equal(view!.status().state, 'broken');
}

test('[SPEC 5] while the view is being built, reads come from the record and say so', async (t) => {
  const app = await appWith(t, ['ann', 5], ['bob', 7]);
  const view = app.views[0]!;
  view.detach('requested');
  const { results, source, position } = await view.read([
    ...BEST,
    standing({ board: 'players', window: 'daily', date: DAY, member: 'ann', around: 1 }),
    history({ player: 'bob', limit: 3 }),
  ]);
  assert.equal(source, 'record');
  assert.deepEqual(
    results[0].map(({ row }) => row.username),
    ['bob', 'ann'],
  );
  assert.equal(results[1]?.rank, 2);
  assert.equal(results[2].length, 1);
  assert.ok(position.lsn > 0);
});

test('[SPEC 4] a read with the position of a write shows that write, whether the view or the record answers', async (t) => {
  const app = await testApp(t);
  const view = app.views[0]!;
  for (let i = 1; i <= 20; i++) {
    const written = await app.record.transaction((tx) =>
      tx.query(`insert into leaderboard.games (username, level, score) values ('ann', 1, $1)`, [i]),
    );
    const { position } = await app.live.applied(written.receipt);
    assert.ok(position);
    if (i === 10) view.detach('requested'); // from here on the record answers
    const { results } = await view.read(BEST, { minPosition: position });
    assert.equal(results[0][0]?.row.score, i);
  }
});

test('[SPEC 4] a write that publishes nothing is answered too', async (t) => {
  const app = await testApp(t);
  const written = await app.record.transaction((tx) => tx.query('create table other (id integer)'));
  const { applied, position } = await app.live.applied(written.receipt);
  assert.equal(applied, true);
  assert.ok(position && position.lsn > 0);
});

test('[SPEC 4] [rule 3] a position ahead of the record is refused over HTTP, by reads of views and of the record', async (t) => {
  const app = await testApp(t);
  const { epoch, lsn } = app.live.watermark;
  for (const path of [`leaderboard/scores/${DAY}`, 'heroes/list', 'cruddur/api/activities/search?term=a']) {
    const get = async (position: string) =>
      (await fetch(`${app.url}/${path}`, { headers: { 'Lockstep-Min-Position': position } })).status;
    assert.equal(await get(formatPosition({ epoch, lsn: lsn + 2 ** 40 })), 400, path);
    assert.equal(await get(formatPosition({ epoch: 'other', lsn })), 409, path);
    assert.equal(await get('nonsense!'), 400, path);
    assert.equal(await get(formatPosition({ epoch, lsn })), 200, path);
  }
});

test("a value that the record refuses is the caller's fault, not an outage", async (t) => {
  const app = await testApp(t);
  const heroes = app.views.find(({ name }) => name === 'heroes/heroes')!;
  await assert.rejects(heroes.read([rows([Number.NaN])]), { code: '22P02' });
});

test('[SPEC 2] [rule 4] a transaction of 200,000 rows arrives whole: never a part of it is read', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  const view = app.views[0]!;
  const page = [range({ board: 'games', window: 'overall', offset: 200_000, limit: 1 })] as const;
  let seen = 0;
  const insertion = app.record.query(`insert into leaderboard.games (username, level, score)
    select 'p' || i % 1000, 1, 100 + i from generate_series(1, 200000) as i`);
  await until('all are there', () => {
    const now = view.readNow([...BEST, ...page]);
    if (!now) return false;
    const all = now.results[1].length === 1;
    assert.ok(all || now.results[0].length === 1, 'all rows or none');
    seen++;
    return all;
  });
  await insertion;
  assert.ok(seen > 0);
  await assertVerified(app);
});

/** A statement that adds `count` games of players `name0` to `name499`, with ties among their scores and times. */
const many = (name: string, count: number): string => `
  insert into leaderboard.games (username, gamedate, level, score)
  select '${name}' || i % 500, date_trunc('hour', now()) - i % 40 * interval '1 day', 1, i * 7919 % 5003
    from generate_series(1, ${count}) as i`;

test('[SPEC 2] [SPEC 3] [rule 4] large transactions interleaved, rolled back and partly rolled back: what committed, whole', async (t) => {
  const database = await testDatabase(t);
  const app = await testApp(t, { databaseUrl: database.url });
  await insert(app.record, ['ann', 5]);
  const [one, two] = [await openWriter(database), await openWriter(database)];
  try {
    await one.sql('begin');
    await two.sql('begin');
    await one.sql(many('one', 15_000));
    await two.sql(many('two', 12_000));
    await one.sql('savepoint kept');
    await one.sql(many('lost', 20_000));
    await one.sql(`update leaderboard.games set score = 0 where username = 'ann'`);
    await one.sql('rollback to savepoint kept');
    await one.sql(many('kept', 8_000));
    await one.sql(`update leaderboard.games set score = score + 1 where username like 'one1%'`);
    await one.sql(`delete from leaderboard.games where username like 'kept2%'`);
    await two.sql(`update leaderboard.games set score = 6 where username = 'ann'`);
    await two.sql('commit');
    await one.sql('commit');
    await one.sql(`begin; ${many('never', 30_000)}; rollback`);
    await one.sql(many('last', 100));
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
  const [games] = await app.record.query<{ n: number }>('select count(*)::int as n from leaderboard.games');
  const all = [count({ board: 'games', window: 'overall' })] as const;
  await until('all that was committed is on the board', () => app.views[0]!.readNow(all)?.results[0] === games!.n);
  await assertVerified(app);
  const date = new Date().toISOString().slice(0, 10);
  const queries = [
    ...BEST,
    top({ board: 'players', window: 'overall', limit: 2_000 }),
    top({ board: 'players', window: 'monthly', date, limit: 2_000 }),
    top({ board: 'games', window: 'daily', date, limit: 2_000 }),
    standing({ board: 'players', window: 'overall', member: 'ann', around: 3 }),
  ] as const;
  const [view, record] = [await app.views[0]!.read(queries), await app.views[0]!.read(queries, { from: 'record' })];
  assert.deepEqual([view.source, record.source], ['view', 'record']);
  assert.deepEqual(view.results, record.results);
});

test('[SPEC 3] [SPEC 6] [rule 4] a connection lost in the middle of a large transaction costs a rebuild, and nothing else', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  const view = app.views[0]!;
  const insertion = app.record.query(many('p', 200_000));
  await until('slices have come', () => view.state === 'catching up');
  await app.record.query(`select pg_terminate_backend(pid) from (${walSender}) as sender`);
  await insertion;
  await until('the views are built anew', () => view.status().rebuilds > 0 && view.readNow(BEST) !== undefined);
  await assertVerified(app);
  assert.deepEqual(view.readNow([count({ board: 'games', window: 'overall' })])!.results, [200_001]);
});

test('[SPEC 6] [SPEC 7] [rule 12] [rule 13] rebuild and verify go on while the view is written to and read', async (t) => {
  const app = await appWith(t, ['ann', 5]);
  const view = app.views[0]!;
  let writing = true;
  let written = 0;
  const writer = (async () => {
    while (writing) await insert(app.record, [`w${written++ % 7}`, written]);
  })();
  for (let i = 0; i < 3; i++) {
    await view.rebuild();
    assert.ok(view.readNow(BEST), 'it never stopped answering');
    await assertVerified(app);
  }
  writing = false;
  await writer;
  await assertVerified(app);
  await until(
    'all are counted',
    () => view.readNow([count({ board: 'games', window: 'overall' })])?.results[0] === written + 1,
  );
});

test('[SPEC 1] [SPEC 3] everything is there again after a restart', async (t) => {
  const app = await appWith(t, ['ann', 5], ['bob', 7]);
  const position = app.live.watermark;
  const again = await app.restart();
  await shows(again, 'bob 7', 'ann 5');
  assert.equal(again.live.watermark.epoch, position.epoch);
  assert.ok(again.live.watermark.lsn >= position.lsn);
});
