import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedUrl } from '../record/embedded.ts';
import { silent } from '../record/log.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord } from '../record/record.ts';
import { randomFrom } from '../runtime/random.ts';
import { driftOf } from './crash.ts';
import { freePort, ServerProcess } from './server-process.ts';

const CALLERS = 16;
const VICTIMS = ['lockstep', 'postgres', 'follower', 'both'] as const;

export interface TaxiCrashOptions {
  readonly trips: number;
  /** At most: it ends with the trips. */
  readonly kills: number;
  /** The schedule of kills follows from it. */
  readonly seed: number;
  /** Further variables of the server. */
  readonly env?: Readonly<Record<string, string>>;
  report?(line: string): void;
}

/** Spread over the trips; one in five follows on another, often into a start. */
async function nextKill(random: () => number, share: () => number, killed: number, kills: number): Promise<void> {
  await sleep(200 + random() * 1200);
  const at = (killed + random()) / kills;
  if (random() < 0.8) while (share() < at) await sleep(20);
}

/**
 * Takes trips through the kiosk's calls while Lockstep, its replication connections and PostgreSQL are killed, then throws unless
 * the projected rows are the completed items, each once, to the cent, `verify` finds no drift, and billing reconciles with them.
 */
export async function taxiCrashTest(options: TaxiCrashOptions): Promise<void> {
  const { trips, kills, seed, env = {}, report = () => {} } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'lockstep-taxi-'));
  const server = new ServerProcess({ dataDir, port: await freePort(), env: { LOG_LEVEL: 'warn', ...env } });
  const left = { trips, over: false };
  try {
    server.start();
    await server.ready();
    const acknowledged = new Set<string>();
    let over = false;
    const callers = Array.from({ length: CALLERS }, (_, i) => drive(server, 1 + i * 1000, left, acknowledged));
    const done = Promise.all(callers).finally(() => {
      over = true;
    });
    done.catch(() => {}); // awaited below, unless something else failed first
    const random = randomFrom(seed);
    let killed = 0;
    for (; killed < kills && !over; killed++) {
      await nextKill(random, () => (over ? 1 : acknowledged.size / trips), killed, kills);
      await kill(server, VICTIMS[Math.floor(random() * VICTIMS.length)]!);
      if (random() < 0.8) await alive(server);
    }
    await alive(server);
    await done;
    await alive(server);
    report(`${acknowledged.size} trips acknowledged, ${killed} kills`);
    await check(server, acknowledged);
    assert.equal(await driftOf(server), 0);
  } finally {
    left.over = true;
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** One caller: takes trips through their states. What fails is asked again: it may have been done. */
async function drive(
  server: ServerProcess,
  rider: number,
  left: { trips: number; over: boolean },
  acknowledged: Set<string>,
): Promise<void> {
  const call = async (path: string): Promise<{ status: number; body: Record<string, string> }> => {
    for (;;) {
      try {
        const answer = await fetch(`${server.url}/taxi/${path}`);
        const body = (await answer.json()) as Record<string, string>;
        if (answer.status < 500) return { status: answer.status, body };
      } catch {
        // the server is away
      }
      if (left.over) throw new Error('the test is over');
      await sleep(20);
    }
  };
  while (!left.over && left.trips-- > 0) {
    const { body } = await call(`riderbook?rider_id=${rider}&rider_mobile=%2B12125550100`);
    const query = `rider_id=${rider}&trip_info=${body.tripinfo}`;
    const accepted = await call(`driveraccept?${query}`);
    assert.ok(accepted.status === 200 || /already|Completed/.test(accepted.body.message!), accepted.body.message);
    const completed = await call(`drivercomplete?${query}`);
    assert.ok(completed.status === 200 || /already/.test(completed.body.message!), completed.body.message);
    acknowledged.add(`${body.riderid} ${body.tripinfo}`);
  }
}

async function kill(server: ServerProcess, victim: (typeof VICTIMS)[number]): Promise<void> {
  if (victim === 'follower') return killFollower(server);
  const postmaster = server.postmaster();
  if (victim !== 'lockstep' && postmaster) killIfAlive(postmaster);
  if (victim === 'postgres') return;
  await server.stop('SIGKILL');
  server.start();
}

/** Waits until it serves. One whose PostgreSQL was killed while it started has ended, and is started again, as a supervisor would. */
async function alive(server: ServerProcess): Promise<void> {
  for (let tries = 1; ; tries++) {
    if (!server.running) server.start();
    try {
      return await server.ready();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended by itself
  }
}

/** Ends the replication connections. PostgreSQL may be away: then there are none. */
async function killFollower(server: ServerProcess): Promise<void> {
  const record = await open(server).catch(() => undefined);
  await record
    ?.query(`select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'`)
    .catch(() => {});
  await record?.close();
}

function open(server: ServerProcess): Promise<PgRecord> {
  return openRecord({ url: embeddedUrl(server.dataDir)!, log: silent, poolSize: 1 });
}

const STATE = `
  with completed as (select riderid, tripinfo, attributes from taxi.trip_items where attributes ->> 'STATUS' = 'Completed')
  select (select count(*)::integer from completed) as items, (select count(*)::integer from rides.trips) as rows,
    (select count(*)::integer from completed c join rides.trips t on t.rider_email = c.riderid and t.trip_info = c.tripinfo
      and t.total_amount = (c.attributes ->> 'TOTAL_AMOUNT')::numeric and t.driver_id = (c.attributes ->> 'DRIVER_ID')::integer) as same,
    (select sum((attributes ->> 'TOTAL_AMOUNT')::numeric)::text from completed) as "itemsTotal",
    (select sum(total_amount)::text from rides.trips) as "rowsTotal",
    (select count(*)::integer from lockstep.dead_letters) as letters`;

interface State {
  readonly items: number;
  readonly rows: number;
  readonly same: number;
  readonly itemsTotal: string;
  readonly rowsTotal: string;
  readonly letters: number;
}

async function check(server: ServerProcess, acknowledged: ReadonlySet<string>): Promise<void> {
  const record = await open(server);
  try {
    let state: State;
    for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
      [state] = (await record.query<State>(STATE)) as [State];
      if (state.rows === state.items || Date.now() > deadline) break;
    }
    assert.deepEqual([state.rows, state.same, state.letters], [state.items, state.items, 0], JSON.stringify(state));
    assert.equal(Number(state.rowsTotal).toFixed(2), Number(state.itemsTotal).toFixed(2));
    const rows = await record.query<{ name: string }>(
      `select rider_email || ' ' || trip_info as name from rides.trips`,
    );
    const found = new Set(rows.map(({ name }) => name));
    assert.deepEqual(
      [...acknowledged].filter((name) => !found.has(name)),
      [],
    );
    await record.query('call billingandpayments()');
    const [billed] = await record.query<{ total: string; rides: number }>(
      'select sum(total_amount)::text as total, sum(ride_count)::integer as rides from rides.billing',
    );
    assert.deepEqual(billed, { total: state.rowsTotal, rides: state.rows });
  } finally {
    await record.close();
  }
}
