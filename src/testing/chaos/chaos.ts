import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silent } from '../../record/log.ts';
import { openRecord } from '../../record/open.ts';
import type { PgRecord } from '../../record/record.ts';
import { freePort, ServerProcess } from '../server-process.ts';
import { canvas } from './canvas.ts';
import { schedule, type Targets } from './faults.ts';
import { boards, heroes, type Load, posts, trips } from './loads.ts';
import { ChaosRecord } from './record.ts';
import { ChaosStore } from './store.ts';
import { Town } from './town.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/lockstep.js', import.meta.url));

/** How long a node may take to start, beside all else that the machine does. */
const START_MS = 180_000;

export interface ChaosOptions {
  /** The schedule of faults follows from it. */
  readonly seed: number;
  readonly seconds: number;
  readonly nodes?: number;
  report?(line: string): void;
}

export interface ChaosReport {
  /** What should never have been. Empty: all is well. */
  readonly faults: readonly string[];
  readonly acknowledged: Readonly<Record<string, number>>;
  readonly injected: number;
  readonly answered: number;
  readonly failed: number;
  readonly sources: Readonly<Record<'view' | 'record', number>>;
  /** Of all views; over all of them. */
  readonly drift: number;
}

/**
 * Three nodes on one PostgreSQL and one store, under load of all services, and a fault every few seconds. At the end nothing that
 * was acknowledged is lost, nothing was done twice, nobody read older than what they had written, and every view is the record.
 */
export async function chaosTest({
  seed,
  seconds,
  nodes: count = 3,
  report = () => {},
}: ChaosOptions): Promise<ChaosReport> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-chaos-'));
  const opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  await using _ = opened;
  const t = { after: (end: () => Promise<void> | void) => opened.defer(async () => end()) };
  const postgres = await ChaosRecord.start(t);
  const store = await ChaosStore.start(t);
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, i) =>
      nodeOf(join(directory, `node${i}`), await freePort(), postgres.url, store.url),
    ),
  );
  opened.defer(async () => {
    for (const node of nodes) node.signal('SIGCONT');
    await Promise.all(nodes.map((node) => node.stop()));
  });
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((node) => node.ready(START_MS)));
  const town = new Town(
    nodes.map(({ url }) => url),
    seed,
  );
  const loads: Load[] = [
    ...['ann', 'bob', 'cy'].map((player) => boards(town, player)),
    ...['flash', 'hulk'].map((name) => heroes(town, name)),
    ...['dee', 'eve'].map((handle) => posts(town, handle)),
    ...[101, 102].map((rider) => trips(town, rider)),
    ...[1, 2].map((artist) => canvas(town, artist)),
  ];
  const running = Promise.all(loads.map((load) => load.run()));
  const injected = await inject(seed, seconds, { nodes, record: postgres, store }, report);
  town.end();
  await running;
  report('the load has ended; waiting for every node');
  await Promise.all(nodes.map((node) => alive(node)));
  const record = await openRecord({ url: postgres.url, log: silent, poolSize: 2 });
  opened.defer(() => record.close());
  for (const load of loads) await load.check(record);
  const drift = await verify(record, nodes, postgres.url, store.url, town);
  return {
    faults: town.faults,
    acknowledged: Object.fromEntries(loads.map((load) => [load.name, load.acknowledged])),
    injected,
    answered: town.answered,
    failed: town.failed,
    sources: town.sources,
    drift,
  };
}

function nodeOf(dataDir: string, port: number, databaseUrl: string, valkeyUrl: string): ServerProcess {
  const env = {
    DATABASE_URL: databaseUrl,
    VALKEY_URL: valkeyUrl,
    LOG_LEVEL: 'warn',
    LOCKSTEP_PUBLIC_URL: 'http://localhost',
    LOCKSTEP_RATE_LIMIT: '0',
    LOCKSTEP_LEADER_TIMEOUT: '2000',
    LOCKSTEP_SECRET: 'a secret that all nodes of the chaos test share',
  };
  return new ServerProcess({ dataDir, port, supervised: true, env });
}

/** Returns how many faults there were. */
async function inject(
  seed: number,
  seconds: number,
  targets: Targets,
  report: (line: string) => void,
): Promise<number> {
  const began = Date.now();
  let injected = 0;
  for (const { fault, afterMs, random } of schedule(seed)) {
    const left = began + seconds * 1000 - Date.now();
    if (afterMs >= left) {
      await sleep(Math.max(0, left));
      return injected;
    }
    await sleep(afterMs);
    const at = ((Date.now() - began) / 1000).toFixed(1);
    const what = await fault.run(targets, random).catch((error: Error) => `failed: ${error.message}`);
    report(`${at} s: ${fault.name} ${what}`);
    injected++;
  }
  return injected;
}

/** Waits until it serves, starting it again where it has ended, as a supervisor would. */
async function alive(node: ServerProcess): Promise<void> {
  for (let tries = 1; ; tries++) {
    if (!node.running) node.start();
    try {
      return await node.ready(START_MS);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

/** The drift of all views, as the leader finds it. */
async function verify(
  record: PgRecord,
  nodes: readonly ServerProcess[],
  databaseUrl: string,
  valkeyUrl: string,
  town: Town,
): Promise<number> {
  const [row] = await record.query<{ node: string }>('select node from lockstep.leader');
  const leader = nodes.find(({ pid }) => row!.node.includes(`-${pid}-`));
  if (!leader) {
    town.fault(`nobody leads: ${row!.node} is none of the nodes`);
    return -1;
  }
  const env = { ...process.env, DATABASE_URL: databaseUrl, VALKEY_URL: valkeyUrl, LOCKSTEP_DATA: leader.dataDir };
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, 'verify', '--json'], { env }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      if (error.stdout) return { stdout: error.stdout };
      throw error;
    },
  );
  const reports = JSON.parse(stdout) as { view: string; drift: number; examples: unknown[] }[];
  for (const { view, drift, examples } of reports) {
    if (drift > 0) town.fault(`${view} drifts: ${JSON.stringify(examples.slice(0, 3))}`);
  }
  return reports.reduce((sum, { drift }) => sum + drift, 0);
}
