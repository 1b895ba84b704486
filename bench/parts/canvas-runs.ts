import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { embeddedUrl } from '../../src/record/embedded.ts';
import type { Bench } from '../bench.ts';
import { Crowd } from '../canvas/crowd.ts';
import { Sender } from '../canvas/sender.ts';
import { percentile } from '../report/statistics.ts';
import { startCanvas } from '../servers/canvas.ts';
import { startLockstep } from '../servers/lockstep.ts';
import { withTimeout } from '../servers/process.ts';

const CELLS = 1_000_000;
/** Those who draw, and the points each has under way where they draw as fast as they can. */
const SENDERS = 16;
const WINDOW = 4;
/** Milliseconds the last points have to reach everybody. */
const ARRIVAL_MS = 30_000;

export interface CanvasRun {
  /** Points a second that one client was told of, each durable where the server says so. */
  readonly points: number;
  /** Points a second times clients. */
  readonly delivered: number;
  readonly bytes: number;
  /** Milliseconds from send to received. */
  readonly p50: number;
  readonly p99: number;
  /** Clients that did not end with exactly the record's canvas, or were told of more or fewer points than were drawn. */
  readonly differing: number;
  /** Bytes of the server's memory that a client took. */
  readonly clientBytes: number;
  /** Processor time the server used, of one core. */
  readonly cpu: number;
}

interface RunOptions {
  readonly port: number;
  readonly pid: number;
  readonly path: string;
  readonly protocol?: string;
  readonly clients: number;
  readonly seconds: number;
  readonly cpuSeconds: () => number;
  /** The cells that are set in the record. */
  readonly recorded: () => Promise<Uint32Array>;
  /** Points a second; as fast as they come back where there is none. */
  readonly perSecond?: number;
}

/** Clients that look, others that draw on an empty canvas; then every client is compared with the record. */
async function measure(options: RunOptions): Promise<CanvasRun> {
  const { port, path, protocol, clients, seconds, perSecond, pid, cpuSeconds, recorded } = options;
  const sentAt = new SharedArrayBuffer(CELLS * 8);
  const empty = memoryOf(pid);
  await using crowd = await Crowd.open({
    ...{ port, path, clients, sentAt, sampleEvery: Math.ceil(clients / 100) },
    ...(protocol ? { protocol } : {}),
  });
  await sleep(1000);
  const clientBytes = (memoryOf(pid) - empty) / clients;
  await using sender = await Sender.open({
    url: `ws://127.0.0.1:${port}${path}`,
    connections: SENDERS,
    sentAt,
    first: 0,
  });
  const draw = (time: number) => (perSecond ? sender.steady(perSecond, time) : sender.closed(WINDOW, time));
  await draw(0.7);
  const before = await crowd.take();
  const cpuBefore = cpuSeconds();
  await draw(seconds);
  const after = await crowd.take();
  const cpu = cpuSeconds() - cpuBefore;
  const elapsed = (after.at - before.at) / 1000;
  const differing = await compare(crowd, sender, recorded);
  const latencies = after.latencies.toSorted() as unknown as number[];
  return {
    points: (after.points - before.points) / clients / elapsed,
    delivered: (after.points - before.points) / elapsed,
    bytes: (after.bytes - before.bytes) / elapsed,
    ...{ p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    ...{ differing, clientBytes, cpu: cpu / elapsed },
  };
}

/** Waits for the last points. Returns how many clients were told of others, or more, or do not show what the record has. */
async function compare(crowd: Crowd, sender: Sender, recorded: () => Promise<Uint32Array>): Promise<number> {
  for (const deadline = Date.now() + ARRIVAL_MS; ; await sleep(100)) {
    const { members } = await crowd.take();
    const miscounted = members.filter((points) => points !== sender.sent).length;
    if (miscounted > 0 && Date.now() < deadline) continue;
    const cells = await recorded();
    if (cells.length !== sender.sent) throw new Error(`${sender.sent} points were drawn, ${cells.length} are recorded`);
    return Math.max(miscounted, await crowd.differing(cells));
  }
}

/** What a query dumps of a database: one cell a row. */
async function dump(databaseUrl: string, sql: string): Promise<Uint32Array> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ cell: number }>(sql);
    return Uint32Array.from(rows, ({ cell }) => cell);
  } finally {
    await client.end();
  }
}

/** The server's resident memory in bytes. Source: proc(5). */
function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Frames a second that `ws` sends to so many clients. */
export async function runCeiling(bench: Bench, clients: number): Promise<number> {
  const server = await startCanvas('ceiling', { cwd: bench.directory });
  try {
    await using crowd = await Crowd.open({
      ...{ port: server.port, path: '/', clients, sentAt: new SharedArrayBuffer(CELLS * 8), sampleEvery: clients },
    });
    await sleep(bench.warmupSeconds * 1000);
    const before = await crowd.take();
    await sleep(bench.seconds * 1000);
    const after = await crowd.take();
    return ((after.frames - before.frames) / (after.at - before.at)) * 1000;
  } finally {
    await server.stop();
  }
}

export async function runNaive(bench: Bench, databaseUrl: string, clients: number): Promise<CanvasRun> {
  const server = await startCanvas('naive', { cwd: bench.directory, databaseUrl });
  try {
    const recorded = () => dump(databaseUrl, 'select distinct y * 1000 + x as cell from points');
    return await measure({ ...server, path: '/', clients, seconds: bench.seconds, recorded });
  } finally {
    await server.stop();
  }
}

let servers = 0;

export interface LockstepRun {
  readonly clients: number;
  readonly protocol?: string;
  readonly perSecond?: number;
}

/** On a server and a data directory of its own: an empty canvas. */
export async function runLockstep(bench: Bench, run: LockstepRun): Promise<CanvasRun> {
  const dataDir = join(bench.directory, `canvas${servers++}`);
  const server = await startLockstep({ dataDir, cwd: bench.directory, only: 'scribble' });
  try {
    const sql = 'select index as cell from scribble.cells where color is not null';
    const recorded = () => dump(embeddedUrl(dataDir)!, sql);
    const running = measure({ ...server, ...run, path: '/scribble', seconds: bench.seconds, recorded });
    return await withTimeout(running, 120_000, 'the canvas to be measured');
  } finally {
    await server.stop();
  }
}
