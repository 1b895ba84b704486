import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '../../services/index.ts';
import { parsePosition } from '../changes/position.ts';
import type { RecordReader } from '../record/record.ts';
import { standbyRisks } from '../record/standby.ts';
import { testDatabase } from './database.ts';
import { type PostgresPair, postgresPair } from './postgres-pair.ts';
import { type TestApp, testServices } from './services.ts';

const CALLERS = 8;

async function appOn(t: TestContext, databaseUrl: string, settings: object = {}): Promise<TestApp> {
  const chosen = services.filter(({ name }) => ['leaderboard', 'taxi'].includes(name));
  const app = await testServices(t, chosen, { databaseUrl, ...settings });
  await until(() => projectionOf(app).state === 'following', 'the projection follows');
  return app;
}

const projectionOf = (app: TestApp) => app.live.status().projections[0]!;

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(20)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}

interface Acknowledged {
  readonly scores: Set<number>;
  readonly trips: Set<string>;
  /** The newest position that a caller was given. */
  position: string;
}

/** Submits scores and takes trips until told to stop. What fails was not acknowledged; a trip is asked for again where it stands. */
class Load {
  readonly acknowledged: Acknowledged = { scores: new Set(), trips: new Set(), position: '' };
  readonly #url: string;
  readonly #callers: Promise<void>[];
  #over = false;
  #next = 1;

  constructor(t: Pick<TestContext, 'after'>, app: TestApp, token: string) {
    t.after(() => this.stop().catch(() => {}));
    this.#url = app.url;
    this.#callers = Array.from({ length: CALLERS }, (_, i) =>
      i % 2 === 0 ? this.#submit(token) : this.#drive(i * 1000),
    );
    for (const caller of this.#callers) caller.catch(() => {}); // `stop` tells
  }

  get count(): number {
    return this.acknowledged.scores.size + this.acknowledged.trips.size;
  }

  /** Waits for so many more acknowledged writes. */
  async more(count: number): Promise<void> {
    const wanted = this.count + count;
    await until(() => this.count >= wanted, `${count} more writes`);
  }

  async stop(): Promise<Acknowledged> {
    this.#over = true;
    await Promise.all(this.#callers);
    return this.acknowledged;
  }

  async #submit(token: string): Promise<void> {
    while (!this.#over) {
      const score = this.#next++;
      const headers = { 'content-type': 'application/json', authorization: token };
      const body = JSON.stringify({ level: 1, score });
      if (await this.#call('leaderboard/users/ann', { method: 'POST', headers, body })) {
        this.acknowledged.scores.add(score);
      }
    }
  }

  async #drive(rider: number): Promise<void> {
    while (!this.#over) {
      const booked = await this.#call(`taxi/riderbook?rider_id=${rider}&rider_mobile=%2B12125550100`);
      if (!booked) continue;
      const query = `rider_id=${rider}&trip_info=${booked.tripinfo}`;
      if (!(await this.#insist(`taxi/driveraccept?${query}`))) continue;
      if (!(await this.#insist(`taxi/drivercomplete?${query}`))) continue;
      this.acknowledged.trips.add(`${booked.riderid} ${booked.tripinfo}`);
    }
  }

  /** The outcome of a call that failed may be unknown: it is made again until it is known. */
  async #insist(path: string): Promise<boolean> {
    while (!this.#over) if (await this.#call(path, {}, [200, 409])) return true;
    return false;
  }

  async #call(path: string, init: RequestInit = {}, good = [200]): Promise<Record<string, string> | undefined> {
    try {
      const answer = await fetch(`${this.#url}/${path}`, init);
      const body = (await answer.json()) as Record<string, string>;
      this.acknowledged.position = answer.headers.get('lockstep-position') ?? this.acknowledged.position;
      if (good.includes(answer.status)) return body;
      assert.ok(answer.status >= 500, `${path}: ${answer.status} ${JSON.stringify(body)}`);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await sleep(20);
    return undefined;
  }
}

async function token(app: TestApp): Promise<string> {
  const send = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${app.url}/leaderboard${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await answer.json()) as { idToken: string };
  };
  const account = { username: 'ann', password: 'Correct-horse-1', email: 'ann@example.com' };
  await send('/users', account);
  return (await send('/login', account)).idToken;
}

const COMPLETED = `select riderid || ' ' || tripinfo as trip from taxi.trip_items where attributes ->> 'STATUS' = 'Completed' order by 1`;
const PROJECTED = `select rider_email || ' ' || trip_info as trip from rides.trips order by 1`;

/** Each completed trip is one row of the target, and nothing else is. */
async function projected(record: RecordReader, target: RecordReader): Promise<Set<string>> {
  let expected = '';
  await until(async () => {
    expected = JSON.stringify(await record.query(COMPLETED));
    return expected === JSON.stringify(await target.query(PROJECTED));
  }, 'the target shows the record');
  return new Set((JSON.parse(expected) as { trip: string }[]).map(({ trip }) => trip));
}

async function noDrift(app: TestApp): Promise<void> {
  for (const view of app.views) assert.equal((await view.verify()).drift, 0, view.name);
}

async function failOver({ primary, standby }: PostgresPair, how: 'kill' | 'freeze'): Promise<void> {
  if (how === 'kill') await primary.kill();
  else primary.freeze();
  await standby.ask('select pg_promote()', 'postgres');
}

const boards = (app: TestApp, position: string) =>
  fetch(`${app.url}/leaderboard/scores/2026-11-21`, { headers: { 'lockstep-min-position': position } });

for (const how of ['kill', 'freeze'] as const) {
  test(`[SPEC 1] [SPEC 3] [rule 1] the primary ${how === 'kill' ? 'is killed' : 'hangs'} under load: nothing acknowledged is lost, and the projection goes on with its slot`, async (t) => {
    const pair = await postgresPair(t);
    const app = await appOn(t, pair.url);
    assert.equal((await standbyRisks(app.record, ['a slot'])).length, 2, 'a failover now would lose something');
    await pair.synchronise();
    assert.deepEqual(await standbyRisks(app.record, ['a slot']), []);
    const before = { epoch: app.live.status().epoch, rebuilds: projectionOf(app).rebuilds };
    const load = new Load(t, app, await token(app));
    await load.more(100);
    await pair.slotsSynchronised(1); // a slot is kept on the standby from when it has moved on once
    const old = load.acknowledged.position;
    await failOver(pair, how);
    await load.more(100);
    const { scores, trips, position } = await load.stop();
    await until(() => app.live.status().ready && projectionOf(app).state === 'following', 'everything follows again');
    assert.notEqual(app.live.status().epoch, before.epoch);
    assert.equal(projectionOf(app).rebuilds, before.rebuilds, 'the projection went on where it was');

    const found = new Set(
      (await app.record.query<{ score: number }>('select score from leaderboard.games')).map((row) => row.score),
    );
    assert.deepEqual(
      [...scores].filter((score) => !found.has(score)),
      [],
    );
    const shown = await projected(app.record, app.record);
    assert.deepEqual(
      [...trips].filter((trip) => !shown.has(trip)),
      [],
    );
    await noDrift(app);
    assert.equal((await boards(app, old)).status, 409, 'a position of before the failover');
    assert.equal((await boards(app, position)).status, 200);
  });
}

for (const slots of [true, false]) {
  test(`[SPEC 3] [rule 1] [rule 19] a standby that was behind is promoted, ${slots ? 'with the slot' : 'and the slot is lost'}: LSNs go back, and what was taken back is shown nowhere`, async (t) => {
    const pair = await postgresPair(t, { slots });
    const { primary, standby } = pair;
    const target = await testDatabase(t);
    const app = await appOn(t, pair.url, { taxiDatabaseUrl: target.url });
    const first = new Load(t, app, await token(app));
    await first.more(60);
    if (slots) await pair.slotsSynchronised(1);
    const kept = await first.stop();
    await projected(app.record, target.record);
    await standby.until(`pg_last_wal_replay_lsn() >= '${await endOf(primary.ask.bind(primary))}'`, 'postgres');
    await standby.stop();
    const ghosts = new Load(t, app, await token(app));
    await ghosts.more(60);
    const lost = await ghosts.stop();
    await projected(app.record, target.record);
    const ahead = parsePosition(lost.position)!.lsn;

    await primary.kill();
    await standby.start();
    await standby.ask('select pg_promote()', 'postgres');
    await until(() => app.live.status().ready && app.live.status().following, 'the views follow again');
    const again = new Load(t, app, await token(app));
    await again.more(10);
    await noDrift(app);
    assert.equal((await boards(app, lost.position)).status, 409, 'not merely ahead of the record');
    await until(() => parsePosition(again.acknowledged.position)!.lsn > ahead, 'the log is as long as it was');
    assert.equal((await boards(app, lost.position)).status, 409, 'and not taken for a position of this epoch');
    const late = await again.stop();
    const shown = await projected(app.record, target.record);
    assert.deepEqual(
      [...kept.trips, ...late.trips].filter((trip) => !shown.has(trip)),
      [],
    );
    assert.deepEqual(
      [...lost.trips].filter((trip) => shown.has(trip)),
      [],
    );
    assert.ok(projectionOf(app).rebuilds > 1, 'it was compared with the record');
    await noDrift(app);
  });
}

async function endOf(ask: (sql: string) => Promise<Record<string, unknown>[]>): Promise<string> {
  return String((await ask('select pg_current_wal_flush_lsn()::text as lsn'))[0]!.lsn);
}
