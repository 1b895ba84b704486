// The change feed next to pg-logical-replication, both reading one log from the same place.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import type { FeedHandler, FeedSession } from '../../src/changes/feed.ts';
import { openFeed } from '../../src/changes/open-feed.ts';
import { startEmbedded } from '../../src/record/embedded.ts';

/** One reader's way through a log that was written before. */
export interface ReaderResult {
  readonly rowsPerSecond: number;
  readonly transactionsPerSecond: number;
  /** Processor time of the reading process, user and system. */
  readonly cpuMicrosPerRow: number;
}

export interface ShapeResult {
  /** `bulk`: 1,000 rows a transaction. `single`: one. */
  readonly shape: 'bulk' | 'single';
  readonly rows: number;
  readonly lockstep: ReaderResult;
  readonly library: ReaderResult;
}

export interface FeedResult {
  readonly shapes: readonly ShapeResult[];
  /** Reading a table of five small columns at a slot's start. */
  readonly snapshot: { readonly rowsPerSecond: number; readonly cpuMicrosPerRow: number };
  /** Asking an idle server for its position until it has answered: median and 99th percentile. */
  readonly idleMicros: { readonly p50: number; readonly p99: number };
}

const TABLE = 'public.feed_bench';
const PUBLICATION = 'feed_bench';
const BULK = 1000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Place {
  readonly url: string;
  readonly client: pg.Client;
}

/** Measures both readers in turns; medians of the rounds. */
export async function measureReaders({ rows, rounds }: { rows: number; rounds: number }): Promise<FeedResult> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-feed-bench-'));
  const postgres = await startEmbedded({ dataDir: directory, log: silent });
  const client = new pg.Client({ connectionString: postgres.url });
  try {
    await client.connect();
    await client.query(`create table ${TABLE} (id int, name text, score int, level int, at timestamptz default now(), primary key (id));
      create publication ${PUBLICATION} for table ${TABLE} with (publish_via_partition_root = true)`);
    const place = { url: postgres.url, client };
    const shapes: ShapeResult[] = [];
    for (const shape of ['bulk', 'single'] as const) shapes.push(await measureShape({ place, shape, rows, rounds }));
    return { shapes, snapshot: await measureSnapshot(place, rows, rounds), idleMicros: await measureIdle(place) };
  } finally {
    await client.end();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Shaped {
  readonly place: Place;
  readonly shape: 'bulk' | 'single';
  readonly rows: number;
  readonly rounds: number;
}

async function measureShape({ place, shape, rows, rounds }: Shaped): Promise<ShapeResult> {
  const [lockstep, library]: [ReaderResult[], ReaderResult[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const session = await open(place);
    await session.snapshot!.close();
    await place.client.query(`select pg_create_logical_replication_slot('feed_bench_library', 'pgoutput')`);
    await write(place, shape, rows);
    lockstep.push(await timed(rows, shape, () => readWithLockstep(session, rows)));
    await session.close();
    library.push(await timed(rows, shape, () => readWithLibrary(place, rows)));
    await dropLibrarySlot(place);
    await place.client.query(`truncate ${TABLE}`);
  }
  return { shape, rows, lockstep: median(lockstep), library: median(library) };
}

async function write({ client }: Place, shape: 'bulk' | 'single', rows: number): Promise<void> {
  const columns = `insert into ${TABLE} (id, name, score, level)`;
  const each = shape === 'bulk' ? BULK : 1;
  await client.query('set synchronous_commit = off');
  await client.query(`do $$ begin for i in 0 .. ${rows / each - 1} loop
    ${columns} select n, 'player_' || n, n % 10007, n % 100 from generate_series(i * ${each} + 1, (i + 1) * ${each}) n; commit;
    end loop; end $$`);
  await client.query('set synchronous_commit = on; select pg_logical_emit_message(true, $$bench$$, $$flush$$)');
}

async function timed(rows: number, shape: 'bulk' | 'single', read: () => Promise<void>): Promise<ReaderResult> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await read();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    rowsPerSecond: rows / seconds,
    transactionsPerSecond: rows / (shape === 'bulk' ? BULK : 1) / seconds,
    cpuMicrosPerRow: (user + system) / rows,
  };
}

let slots = 0;

function open({ url }: Place): Promise<FeedSession> {
  return openFeed({
    sqlUrl: url,
    replicationUrl: url,
    publication: PUBLICATION,
    sources: [{ table: TABLE }],
    slot: { name: `feed_bench_${slots++}`, temporary: true },
    walLimitBytes: 2 ** 40,
    log: silent,
  });
}

function handler(step: Partial<FeedHandler>): FeedHandler {
  const nothing = () => {};
  return {
    transaction: nothing,
    largeBegin: nothing,
    largeSlice: nothing,
    largeEnd: nothing,
    progress: nothing,
    schemaChanged: nothing,
    ended: nothing,
    ...step,
  };
}

function readWithLockstep(session: FeedSession, rows: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    const transaction: FeedHandler['transaction'] = ({ lsn, changes }) => {
      seen += changes.length;
      session.acknowledge(lsn);
      if (seen >= rows) resolve();
    };
    session.stream(session.start, handler({ transaction, ended: reject })).catch(reject);
  });
}

/** With the library's defaults. */
async function readWithLibrary({ url }: Place, rows: number): Promise<void> {
  const service = new LogicalReplicationService({ connectionString: url });
  await new Promise<void>((resolve, reject) => {
    let seen = 0;
    service.on('data', (_lsn, message) => {
      if (message.tag === 'insert' && ++seen >= rows) resolve();
    });
    service.on('error', reject);
    const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [PUBLICATION] });
    service.subscribe(plugin, 'feed_bench_library').catch(reject);
  });
  service.removeAllListeners('error');
  service.on('error', () => {}); // its connection ends while it still acknowledges
  await service.destroy();
}

/** Its server process ends a moment after its connection. */
async function dropLibrarySlot({ client }: Place): Promise<void> {
  for (;;) {
    const { rows } = await client.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots
      where slot_name = 'feed_bench_library' and not active`);
    if (rows.length > 0) return;
  }
}

async function measureSnapshot(place: Place, rows: number, rounds: number): Promise<FeedResult['snapshot']> {
  await write(place, 'bulk', rows);
  const session = await open(place);
  const results: ReaderResult[] = [];
  const read = async () => void (await session.snapshot!.read({ table: TABLE }, () => {}));
  for (let round = 0; round < rounds; round++) results.push(await timed(rows, 'bulk', read));
  await session.close();
  const { rowsPerSecond, cpuMicrosPerRow } = median(results);
  return { rowsPerSecond, cpuMicrosPerRow };
}

async function measureIdle(place: Place): Promise<FeedResult['idleMicros']> {
  const session = await open(place);
  let answered = () => {};
  await session.stream(session.start, handler({ progress: () => answered() }));
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const begun = performance.now();
    await new Promise<void>((resolve) => {
      answered = resolve;
      session.poke();
    });
    times.push((performance.now() - begun) * 1000);
  }
  await session.close();
  times.sort((a, b) => a - b);
  return { p50: times[500]!, p99: times[990]! };
}

function median(results: readonly ReaderResult[]): ReaderResult {
  const middle = (of: (result: ReaderResult) => number) => results.map(of).sort((a, b) => a - b)[results.length >> 1]!;
  return {
    rowsPerSecond: middle((result) => result.rowsPerSecond),
    transactionsPerSecond: middle((result) => result.transactionsPerSecond),
    cpuMicrosPerRow: middle((result) => result.cpuMicrosPerRow),
  };
}
