import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { embeddedUrl } from '../../src/record/embedded.ts';
import type { Bench, Part } from '../bench.ts';
import { atLeast, atMost, type Findings } from '../report/findings.ts';
import { median, medianRatio, number, percentile, spread } from '../report/statistics.ts';
import { databaseSeconds } from '../servers/database-cpu.ts';
import { startLockstep } from '../servers/lockstep.ts';
import { startPostgres } from '../servers/postgres.ts';
import { type Running, startProcess } from '../servers/process.ts';
import { loadTrips, type TripsResult } from '../trips.ts';

const NAIVE = fileURLToPath(new URL('../naive/taxi.ts', import.meta.url));
const CEILING = fileURLToPath(new URL('../naive/taxi-ceiling.ts', import.meta.url));
const CALLERS = 64;

type Sample = TripsResult & { readonly cpuMicros: number; readonly databaseMicros: number };

interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly running: Running;
  /** Data directories of its PostgreSQL: one at most. */
  readonly database: readonly string[];
  readonly samples: Sample[];
}

/** Trips end to end against the naive way, the delay until the SQL row, and billing. */
export const taxi: Part = {
  name: 'taxi',
  title: 'Taxi: trips, their projection, billing',
  async run(bench: Bench): Promise<Findings> {
    await using stack = new AsyncDisposableStack();
    const dataDir = join(bench.directory, 'taxi');
    const server = await startLockstep({ dataDir, cwd: bench.directory, only: 'taxi' });
    stack.defer(() => server.stop());
    const client = new pg.Client({ connectionString: embeddedUrl(dataDir)! });
    await client.connect();
    stack.defer(() => client.end());
    const database = [join(dataDir, 'postgres')];
    const lockstep: Contestant = { name: 'Lockstep', port: server.port, running: server, database, samples: [] };
    const naive = await startNaive(bench, stack);
    const ceiling = await startCeiling(bench, stack);
    await takeTurns(bench, [lockstep, naive, ceiling]);
    const ratio = medianRatio(ratesOf(lockstep), ratesOf(naive));
    await caughtUp(client);
    bench.say('  from completion to the SQL row');
    const idle = await delays(server.port, client, bench.quick ? 100 : 400);
    const behind = await behindUnderLoad(bench, server.port, client);
    bench.say('  billing');
    const trips = bench.quick ? 100_000 : 1_000_000;
    const seconds = await billing(client, trips);
    return {
      tables: [tripsTable([lockstep, naive, ceiling]), delayTable(idle, behind)],
      targets: [
        atLeast(`completed trips at ${CALLERS} callers, times the naive way`, 5, ratio),
        atMost('from the answered completion to the SQL row, median', 2, percentile(idle, 0.5), 'ms'),
        atMost('from the answered completion to the SQL row, p99', 20, percentile(idle, 0.99), 'ms'),
        atMost(`billing of ${trips} trips`, 10, seconds, 's'),
      ],
    };
  },
};

async function startNaive(bench: Bench, stack: AsyncDisposableStack): Promise<Contestant> {
  const directory = join(bench.directory, 'taxi-naive');
  const postgres = await startPostgres(directory);
  stack.defer(() => postgres.stop());
  const running = await startProcess({
    command: process.execPath,
    args: [NAIVE],
    cwd: bench.directory,
    env: { NAIVE: JSON.stringify({ databaseUrl: postgres.url, poolSize: 24 }), NODE_ENV: 'production' },
    ready: /listening (\d+)/,
  });
  stack.defer(() => running.stop());
  const database = [join(directory, 'postgres-naive', 'postgres')];
  return { name: 'naive: update, then insert', port: Number(running.match![1]), running, database, samples: [] };
}

/** What the three calls cost without any work. */
async function startCeiling(bench: Bench, stack: AsyncDisposableStack): Promise<Contestant> {
  const running = await startProcess({
    command: process.execPath,
    args: [CEILING],
    cwd: bench.directory,
    env: { NODE_ENV: 'production' },
    ready: /listening (\d+)/,
  });
  stack.defer(() => running.stop());
  return {
    name: 'no work: three constant answers',
    port: Number(running.match![1]),
    running,
    database: [],
    samples: [],
  };
}

async function takeTurns(bench: Bench, contestants: readonly Contestant[]): Promise<void> {
  const { seconds, warmupSeconds } = bench;
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`  trips, ${CALLERS} callers, round ${round} of ${bench.rounds}`);
    for (const { port, running, database, samples } of contestants) {
      const cpu = running.cpuSeconds();
      const before = database.map(databaseSeconds);
      const result = await loadTrips({ port, callers: CALLERS, seconds, warmupSeconds });
      const trips = result.tripsPerSecond * (seconds + warmupSeconds);
      const used = database.reduce((sum, each, i) => sum + databaseSeconds(each) - before[i]!, 0);
      const micros = (of: number) => (of / trips) * 1e6;
      samples.push({ ...result, cpuMicros: micros(running.cpuSeconds() - cpu), databaseMicros: micros(used) });
    }
  }
}

function ratesOf({ samples }: Contestant): number[] {
  return samples.map(({ tripsPerSecond }) => tripsPerSecond);
}

const BEHIND = `select (select count(*) from taxi.trip_items where attributes ->> 'STATUS' = 'Completed')::integer
  - (select count(*) from rides.trips)::integer as behind`;

async function caughtUp(client: pg.Client): Promise<void> {
  while ((await client.query(BEHIND)).rows[0].behind > 0) await sleep(5);
}

/** Milliseconds from the answer to a completion until the row is seen by another SQL session; one trip at a time. */
async function delays(port: number, client: pg.Client, count: number): Promise<number[]> {
  const call = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/taxi/${path}`);
    return (await answer.json()) as { tripinfo: string; riderid: string };
  };
  const query = { name: 'row', text: 'select from rides.trips where rider_email = $1 and trip_info = $2' };
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    const { tripinfo, riderid } = await call(`riderbook?rider_id=${900_000 + i}&rider_mobile=%2B12125550100`);
    const trip = `rider_id=${900_000 + i}&trip_info=${tripinfo}`;
    await call(`driveraccept?${trip}`);
    await call(`drivercomplete?${trip}`);
    const answered = performance.now();
    while ((await client.query({ ...query, values: [riderid, tripinfo] })).rowCount === 0);
    found.push(performance.now() - answered);
    await sleep(5);
  }
  return found.sort((a, b) => a - b);
}

/** Under load: from the time that the completion names until the row's transaction began, as the database's clock has it. */
async function behindUnderLoad(bench: Bench, port: number, client: pg.Client): Promise<number[]> {
  await client.query('alter table rides.completed_trips add column projected_at timestamptz default now()');
  await client.query('update rides.completed_trips set projected_at = null');
  await client.query('alter table rides.completed_trips alter column projected_at set default now()');
  await loadTrips({ port, callers: CALLERS, seconds: bench.seconds, warmupSeconds: bench.warmupSeconds });
  await caughtUp(client);
  const { rows } = await client.query(
    `select extract(epoch from projected_at - dropoff_datetime)::float8 * 1000 as ms from rides.completed_trips where projected_at is not null`,
  );
  return rows.map(({ ms }: { ms: number }) => ms).sort((a: number, b: number) => a - b);
}

const TRIPS = `
  insert into rides.completed_trips (rider_email, trip_info, id, rider_id, driver_id, vehicle_id, cab_type_id, vendor_id, rate_code_id, payment_type,
    passenger_count, pickup_datetime, dropoff_datetime, pickup_longitude, pickup_latitude, dropoff_longitude, dropoff_latitude, trip_distance,
    trip_type, fare_amount, extra, mta_tax, tip_amount, tolls_amount, improvement_surcharge, total_amount)
  select 'person' || n % 50000 || '@example.com', to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS"Z,"') || 1000000 + n, n, n % 50000, 1 + n % 2000, 'NYC',
    1, 1, 1, 1, 1, now(), now(), -73.9, 40.7, -73.9, 40.7, 1, 1, n % 50 + 0.37, 0, 0.5, 0, 0, 1, n % 50 + 0.37 + 0.5 + 1
    from generate_series(1, $1::integer) n`;

/** Seconds that one call takes for so many trips. */
async function billing(client: pg.Client, trips: number): Promise<number> {
  await client.query('call billingandpayments()');
  await client.query(TRIPS, [trips]);
  await client.query('vacuum analyze rides.completed_trips');
  await client.query('checkpoint');
  const began = performance.now();
  await client.query('call billingandpayments()');
  return (performance.now() - began) / 1000;
}

function tripsTable(contestants: readonly Contestant[]) {
  const [lockstep] = contestants;
  const rows = contestants.map((contestant) => {
    const { samples } = contestant;
    const of = (pick: (sample: Sample) => number) => number(median(samples.map(pick)));
    return [
      contestant.name,
      spread(ratesOf(contestant)),
      of((s) => s.p50),
      of((s) => s.p99),
      of((s) => s.cpuMicros),
      of((s) => s.databaseMicros),
      contestant === lockstep ? '1' : number(medianRatio(ratesOf(lockstep!), ratesOf(contestant))),
    ];
  });
  return {
    title: `Completed trips at ${CALLERS} callers: three calls each`,
    columns: [
      '',
      'trips/s: median (min - max)',
      'p50 ms',
      'p99 ms',
      'CPU us each',
      "PostgreSQL's CPU us",
      'Lockstep is times',
    ],
    rows,
    note: 'Both have the same tables, indexes and references. The naive way tells no subscriber, and a crash between its two statements loses the row. Constant answers, on the same framework, are the most that three calls a trip can be.',
  };
}

function delayTable(idle: readonly number[], busy: readonly number[]) {
  const row = (name: string, sorted: readonly number[]) => [
    name,
    number(sorted.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => number(percentile(sorted, share))),
  ];
  return {
    title: 'Milliseconds from completion to the SQL row',
    columns: ['', 'trips', 'median', '90 %', '99 %', 'most'],
    rows: [row('one at a time, from the answer', idle), row(`${CALLERS} callers, from the handler's clock`, busy)],
    note: 'Under load the clock starts before the completion is written (DROPOFF_DATETIME), so that time is in it too.',
  };
}
