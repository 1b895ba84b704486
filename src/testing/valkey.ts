import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';

/** How long a server may take to start, or a cluster to agree (milliseconds). */
const PATIENCE_MS = 30_000;
const SLOTS = 16_384;

export interface ValkeyOptions {
  /** Further settings, as on the command line of `redis-server`: `['--maxmemory-policy', 'allkeys-lru']`. */
  readonly args?: readonly string[];
}

/** A `redis-server` of a test's own, on a free port of the loopback address, without persistence. */
export class TestValkey {
  readonly port: number;
  readonly url: string;
  readonly #args: readonly string[];
  readonly #directory = mkdtempSync(join(tmpdir(), 'lockstep-valkey-'));
  #child: ChildProcess | null = null;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#args = args;
    directories.add(this.#directory);
  }

  /** Starts it; after `kill`, again, with no data. */
  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    const child = spawn('redis-server', [...options, '--save', '', '--appendonly', 'no', ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.unref(); // a test that fails before it stops the server ends all the same, and the server with it
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as Socket).unref();
    let output = '';
    const ready = Promise.withResolvers<void>();
    child.stdout.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
      if (/ready to accept connections/i.test(output)) ready.resolve();
    });
    child.once('error', ready.reject);
    child.once('exit', () => ready.reject(new Error(`redis-server ended:\n${output}`)));
    const waiting = setTimeout(() => ready.reject(new Error(`redis-server did not start:\n${output}`)), PATIENCE_MS);
    await ready.promise.finally(() => clearTimeout(waiting));
  }

  /** SIGKILL: without a word to anyone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** One command on a connection of its own. */
  async command(...args: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false, connectTimeout: PATIENCE_MS } });
    client.on('error', () => {}); // the command fails too
    await client.connect();
    try {
      return await client.sendCommand([...args]);
    } finally {
      client.destroy();
    }
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
    directories.delete(this.#directory);
  }
}

/** What a test that failed has not ended. */
const running = new Set<ChildProcess>();
const directories = new Set<string>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** A new, empty server. The caller stops it. */
export async function startValkey({ args = [] }: ValkeyOptions = {}): Promise<TestValkey> {
  const [port] = await freePorts(1);
  const server = new TestValkey(port!, args);
  await started([server]);
  return server;
}

/** A cluster of masters, each with a replica where asked for. `url` names all of them. */
export interface TestValkeyCluster {
  readonly url: string;
  /** The masters. */
  readonly nodes: readonly TestValkey[];
  /** In the order of their masters. */
  readonly replicas: readonly TestValkey[];
  stop(): Promise<void>;
}

export interface ClusterOptions extends ValkeyOptions {
  /** Whether each master has one. */
  readonly replicas?: boolean;
}

const MASTERS = 3;
const CLUSTER = '--cluster-enabled yes --cluster-node-timeout 2000 --cluster-require-full-coverage no'.split(' ');

/** A new, empty cluster of three masters. The caller stops it. */
export async function startValkeyCluster(options: ClusterOptions = {}): Promise<TestValkeyCluster> {
  const { args = [], replicas: replicated = false } = options;
  const count = replicated ? 2 * MASTERS : MASTERS;
  const ports = await freePorts(2 * count);
  const busPorts = ports.slice(count);
  const servers = busPorts.map(
    (busPort, i) => new TestValkey(ports[i]!, [...CLUSTER, '--cluster-port', String(busPort), ...args]),
  );
  const [nodes, replicas] = [servers.slice(0, MASTERS), servers.slice(MASTERS)];
  await started(servers);
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    await shareSlots(nodes);
    await meet(servers, busPorts);
    await replicate(nodes, replicas);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, nodes, replicas, stop };
}

async function started(servers: readonly TestValkey[]): Promise<void> {
  const starts = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (!failed) return;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}

/** Gives each an equal share of the slots. */
async function shareSlots(masters: readonly TestValkey[]): Promise<void> {
  const share = Math.ceil(SLOTS / masters.length);
  for (const [i, master] of masters.entries()) {
    await master.command('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    const last = Math.min(SLOTS, (i + 1) * share) - 1;
    await master.command('CLUSTER', 'ADDSLOTSRANGE', String(i * share), String(last));
  }
}

/** Makes them known to each other. */
async function meet(servers: readonly TestValkey[], busPorts: readonly number[]): Promise<void> {
  const [first, ...others] = servers;
  for (const [i, { port }] of others.entries()) {
    await first!.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPorts[i + 1]));
  }
  const known = new RegExp(`cluster_state:ok[^]*cluster_slots_ok:16384[^]*cluster_known_nodes:${servers.length}`);
  await agreed(servers, ['CLUSTER', 'INFO'], known);
}

/** Each replica follows the master of its place. */
async function replicate(masters: readonly TestValkey[], replicas: readonly TestValkey[]): Promise<void> {
  for (const [i, replica] of replicas.entries()) {
    const id = String(await masters[i]!.command('CLUSTER', 'MYID'));
    await replica.command('CLUSTER', 'REPLICATE', id);
  }
  await agreed(replicas, ['INFO', 'replication'], /master_link_status:up/);
}

/** Waits until all of them answer so. */
async function agreed(servers: readonly TestValkey[], question: readonly string[], answer: RegExp): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(20)) {
    const answers = await Promise.all(servers.map((server) => server.command(...question)));
    if (answers.every((each) => answer.test(String(each)))) return;
    if (Date.now() > deadline) throw new Error(`the cluster did not come together: ${answers.join('\n')}`);
  }
}

/** For the top of a test file: what was started is stopped after the file's last test. */
export async function forThisFile<S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> {
  const started = await starting;
  after(() => started.stop());
  return started;
}

/** Ports nobody listens on, held together for a moment so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Both, for suites that run on each: `for (const { name, start } of VALKEYS)`. */
export const VALKEYS = [
  { name: 'one server', start: startValkey },
  { name: 'a cluster', start: startValkeyCluster },
] as const;
