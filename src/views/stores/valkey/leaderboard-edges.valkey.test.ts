import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { ScriptBucket, scriptClient } from '../../../testing/script-bucket.ts';
import { StoredPair } from '../../../testing/stored-pair.ts';
import { startValkey, type TestValkey } from '../../../testing/valkey.ts';
import { leaderboard } from '../../leaderboard/leaderboard.ts';
import { count, history, type LeaderboardQuery, range, standing, top } from '../../leaderboard/queries.ts';
import { dateOf, SHAPE, TABLE, TODAY } from '../../leaderboard/test-games.ts';
import { DAY } from '../../leaderboard/window.ts';
import { openStore } from './store.ts';

const { table, id, player, score, time, keep } = SHAPE;
const columns = { table, id, player, score, time, keep };
const definition = leaderboard({
  ...columns,
  windows: { overall: true, monthly: { keepDays: 62 }, daily: { keepDays: 8 } },
});
const overall = { board: 'games', window: 'overall' } as const;

let server: TestValkey;
let client: Awaited<ReturnType<typeof scriptClient>>;
before(async () => {
  server = await startValkey();
  client = await scriptClient(server.url);
});
after(async () => {
  client?.destroy();
  await server?.stop();
});

function pair(of = definition): StoredPair<LeaderboardQuery> {
  return new StoredPair({ definition: of, bucket: new ScriptBucket(client, of.stored!.script) });
}

function game(id: Row[string], values: Row = {}): Row {
  return { id, player: 'ann', score: 5, time: TODAY, level: 1, note: null, ...values };
}

function insert(...rows: Row[]): Change[] {
  return rows.map((after) => ({ op: 'insert', table: TABLE, before: null, after }));
}

function update(after: Row, before: Row | null = null): Change {
  return { op: 'update', table: TABLE, before, after };
}

function remove(id: Row[string]): Change {
  return { op: 'delete', table: TABLE, before: { id }, after: null };
}

const TRUNCATE: Change = { op: 'truncate', table: TABLE, before: null, after: null };

async function idsOf(boards: StoredPair<LeaderboardQuery>, of: Parameters<typeof count>[0] = overall) {
  const found = (await boards.ask(top({ ...of, limit: 100 }))) as { row: Row }[] | undefined;
  return found?.map(({ row }) => row.id);
}

test('ties go to the earlier game, then to the lower id: as numbers, not as text', async () => {
  const boards = pair();
  const times = [TODAY, TODAY + 1, 1, 0, -1, -2, -(2 ** 53) + 1, 2 ** 53 - 1, Infinity, -Infinity];
  const ids = [0, 9, 10, 99, 100, -1, -2, -10, 2 ** 53 - 1, -(2 ** 53) + 1];
  await boards.apply(insert(...ids.map((id) => game(id))));
  assert.deepEqual(
    await idsOf(boards),
    ids.toSorted((a, b) => a - b),
  );
  await boards.apply(insert(...times.map((time, i) => game(i + 1000, { time }))));
  const scores = [-0, 0, 5e-324, -5e-324, 1.7976931348623157e308, -Infinity, Infinity, 2 ** 53 - 1, 2 ** 53 - 2, 0.1];
  await boards.apply(insert(...scores.map((score, i) => game(i + 2000, { score }))));
  await boards.audit();
});

test('[rule 7] a player whose best game goes falls back on the next best one, also far down in the history', async () => {
  const boards = pair();
  const players = { board: 'players', window: 'daily', date: dateOf(TODAY) } as const;
  const old = Array.from({ length: 3000 }, (_, i) => game(i + 10, { score: 10 + i, time: TODAY - 40 * DAY }));
  await boards.apply(insert(...old, game(1, { score: 9000 }), game(2, { score: 3 }), game(3, { score: 4 })));
  assert.deepEqual(await idsOf(boards, players), [1]);
  await boards.apply([remove(1)]);
  assert.deepEqual(await idsOf(boards, players), [3]);
  await boards.apply([update(game(3, { player: 'bob', score: 1 })), update(game(2, { score: 2 }))]);
  assert.deepEqual(await idsOf(boards, players), [2, 3]);
  await boards.apply([remove(2), remove(3)]);
  assert.deepEqual(await idsOf(boards, players), []);
  await boards.audit();
});

for (const [what, strange] of [
  ['an id beyond 2^53', { id: 2n ** 60n }],
  ['a score beyond 2^53', { id: 5, score: 2n ** 60n }],
  ['a score that is not a number', { id: 5, score: Number.NaN }],
  ['a time beyond the year 2255', { id: 5, time: 2 ** 60 }],
  ['a value that nobody knows', { id: 5, note: undefined }],
] as const) {
  test(`[SPEC 5] [rule 6] ${what}: the record answers for as long as the row is there`, async () => {
    const boards = pair();
    const row = game(strange.id, strange);
    await boards.apply(insert(game(1)));
    await boards.apply([update(row)]);
    for (const query of [count(overall), history({ player: 'ann', limit: 1 }), top({ ...overall, limit: 3 })]) {
      assert.equal(await boards.ask(query), undefined);
    }
    assert.equal(await boards.ask(standing({ ...overall, member: 1 })), undefined);
    await boards.audit();
    await boards.apply([remove(row.id)]);
    assert.deepEqual(await idsOf(boards), [1]);
    await boards.apply([update(row)]);
    await boards.apply([TRUNCATE]);
    assert.deepEqual(await idsOf(boards), []);
  });

  test(`[SPEC 3] [SPEC 5] ${what}: loaded, it is as if it had been streamed`, async () => {
    const boards = pair();
    const row = game(strange.id, strange);
    await boards.load(table, [game(1), row]);
    assert.equal(await boards.ask(count(overall)), undefined);
    await boards.audit();
    await boards.apply([remove(row.id)]);
    assert.deepEqual(await idsOf(boards), [1]);
    await boards.audit();
  });
}

test('[SPEC 5] of thousands of rows that cannot be held one is told, with their number', async () => {
  const boards = pair();
  await boards.apply(insert(...Array.from({ length: 3000 }, (_, i) => game(i, { time: 2 ** 60 }))));
  assert.match(
    String(await boards.unheld()),
    /^it cannot hold the row \d+ of test.games, and 2,999 more: the column time/,
  );
});

test('[rule 6] what the log did not carry is what is held, whatever type it has', async () => {
  const boards = pair();
  const notes = ['', 'two\nlines', '\u000b"', 2n ** 62n, Uint8Array.of(0, 10, 255), -0, Infinity, true, null];
  for (const [i, note] of notes.entries()) {
    await boards.apply(insert(game(i, { note })));
    await boards.apply([update(game(i + 100, { note: undefined, player: undefined, score: i }), { id: i })]);
  }
  const found = (await boards.ask(history({ player: 'ann', limit: 99 }))) as Row[];
  assert.deepEqual(found.map((row) => row.note).reverse(), notes);
});

test('[rule 8] a window let go of stays so, after a late row, TRUNCATE and a clock that goes back', async () => {
  const boards = pair();
  const day = (days: number) => ({ board: 'games', window: 'daily', date: dateOf(TODAY + days * DAY) }) as const;
  const late = game(1, { time: TODAY - 20 * DAY });
  await boards.apply(insert(late, game(2), game(3, { time: TODAY - 90 * DAY })));
  assert.deepEqual(await idsOf(boards, day(-20)), [1]);
  await boards.expire(TODAY);
  await boards.apply([TRUNCATE, ...insert(late, game(2))]);
  await boards.expire(TODAY - 100 * DAY);
  await boards.apply([update({ ...late, score: 7 })]);
  for (const days of [-90, -20, -9]) assert.equal(await boards.ask(count(day(days))), undefined);
  assert.equal(await boards.ask(count(day(-8))), 0);
  assert.deepEqual(await idsOf(boards, day(0)), [2]);
  assert.equal(await boards.ask(count({ board: 'games', window: 'monthly', date: '2026-08-22' })), undefined);
  await boards.audit();
});

test('a window that would be let go of at once is not built first', async (t) => {
  const log = { error: (detail: object, message: string) => assert.fail(`${message}: ${JSON.stringify(detail)}`) };
  const store = await openStore({ url: server.url, database: 'test', log: log as never });
  t.after(() => store.close());
  const view = store.add('test/games', definition as never);
  await store.fence(1);
  await client.configResetStat();
  const generation = await view.create(1, 'epoch');
  generation.expire(TODAY);
  const rows = Array.from({ length: 3000 }, (_, i) => game(i, { time: TODAY - (i % 100) * DAY }));
  await generation.load(table, rows);
  await generation.loaded(10, TODAY);
  const keys = (await client.keys('*test/games*:games:*-*-*')).map((key) => key.slice(-10)).sort();
  assert.deepEqual(
    keys,
    Array.from({ length: 9 }, (_, i) => dateOf(TODAY - (8 - i) * DAY)),
  );
  const stats = await client.info('commandstats');
  assert.ok(Number(/cmdstat_unlink:calls=(\d+)/.exec(stats)?.[1] ?? 0) < 5, 'nothing was built to be let go of');
});

test('windows that are not declared are answered by the record', async () => {
  const boards = pair(leaderboard(columns));
  await boards.apply(insert(game(1)));
  assert.equal(await boards.ask(count(overall)), 1);
  assert.equal(await boards.ask(count({ ...overall, window: 'daily', date: '2026-11-20' })), undefined);
  await boards.audit();
});

test('players may be integers, and no name is taken for another', async () => {
  const boards = pair();
  await boards.apply(insert(game(1, { player: 42 }), game(2, { player: -7 })));
  assert.equal(((await boards.ask(history({ player: '42', limit: 9 }))) as Row[]).length, 1);
  for (const player of ['042', '4', '42 ', '\0' + '42', '']) {
    assert.deepEqual(await boards.ask(history({ player, limit: 9 })), []);
    assert.equal(await boards.ask(standing({ board: 'players', window: 'overall', member: player })), null);
  }
  await boards.ask(standing({ board: 'players', window: 'overall', member: -7, around: 3 }));
});

test('places beyond the end of a board are empty', async () => {
  const boards = pair();
  await boards.apply(insert(game(1), game(2)));
  for (const [offset, limit] of [
    [0, 0],
    [2, 5],
    [1, 10_000],
    [Number.MAX_SAFE_INTEGER, 1],
  ] as const)
    await boards.ask(range({ ...overall, offset, limit }));
});

test("[SPEC 9] queries that make no sense are the client's error", () => {
  for (const query of [
    top({ ...overall, limit: 1e9 }),
    standing({ ...overall, member: '7' }),
    count({ board: 'games', window: 'daily', date: '2026-02-30' }),
  ]) {
    assert.throws(() => definition.stored!.read(query), { name: 'ClientError', status: 400 });
  }
});
