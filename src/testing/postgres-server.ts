import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { launcherFor } from '../record/embedded/account.ts';
import { findBinaries } from '../record/embedded/binaries.ts';
import { type Cluster, readPassword, SETTINGS_FILE } from '../record/embedded/initialise.ts';
import { processesOf } from '../record/embedded/leftovers.ts';
import { serverSettings } from '../record/embedded/settings.ts';

const PATIENCE_MS = 60_000;
const CONNECT_MS = 30_000;
const LOOK_MS = 50;
const SETTINGS = { shared_buffers: '32MB', listen_addresses: '127.0.0.1', unix_socket_directories: '' };

/** A PostgreSQL on a port of the loopback interface, to be killed. */
export class TestServer {
  readonly port: number;
  readonly cluster: Cluster;
  readonly #settings: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(options: { cluster: Cluster; port: number; settings?: Readonly<Record<string, string>> }) {
    this.cluster = options.cluster;
    this.port = options.port;
    this.#settings = { ...SETTINGS, port: String(options.port), ...options.settings };
  }

  get #name(): string {
    return `lockstep-test-${this.port}`;
  }

  get credentials(): string {
    return `lockstep:${readPassword(this.cluster.pgdata)}`;
  }

  url(database = 'lockstep'): string {
    return `postgres://${this.credentials}@127.0.0.1:${this.port}/${database}`;
  }

  /** Returns when it answers. */
  async start(): Promise<void> {
    const { pgdata, binaries, launcher } = this.cluster;
    const file = join(pgdata, SETTINGS_FILE);
    writeFileSync(file, serverSettings(2 ** 30, this.#name, this.#settings), { mode: 0o600 });
    launcher.giveAway(file);
    const child = launcher.start(binaries.postgres, ['-D', pgdata], {
      deathSignal: 'INT',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let output = '';
    child.stderr!.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
    });
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(20)) {
      if (await this.ask('select 1', 'postgres').catch(() => undefined)) return;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PostgreSQL did not start: ${output}`);
    }
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    this.#signal('SIGKILL'); // frozen ones do not notice by themselves
  }

  /** Every process of it: connections stay open, and nothing is answered. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  /** Runs statements, each for itself; the rows of the last. */
  ask(sql: string, database = 'lockstep'): Promise<Record<string, unknown>[]> {
    return this.#connected(database, (client) => askOn(client, sql));
  }

  /** Waits until an expression is true. `meanwhile` is called between the looks. */
  until(condition: string, database = 'lockstep', meanwhile?: () => Promise<unknown>): Promise<void> {
    return this.#connected(database, async (client) => {
      for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(LOOK_MS)) {
        const [row] = await askOn(client, `select (${condition}) as yes`);
        if (row?.yes === true) return;
        if (Date.now() > deadline) throw new Error(`never: ${condition}`);
        await meanwhile?.();
      }
    });
  }

  async #connected<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: CONNECT_MS });
    client.on('error', () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    for (const pid of processesOf(this.cluster.pgdata, this.#name)) {
      try {
        process.kill(pid, signal);
      } catch {
        // ended by itself
      }
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

async function askOn(client: pg.Client, sql: string): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  for (const statement of sql.split(';').filter((text) => text.trim())) ({ rows } = await client.query(statement));
  return rows;
}

/** The files of a server, in a folder that is made here. */
export function clusterIn(root: string, name: string): Cluster {
  const dataDir = join(root, name);
  mkdirSync(dataDir, { recursive: true });
  const pgdata = join(dataDir, 'postgres');
  const binaries = findBinaries();
  const launcher = launcherFor({ dataDir, pgdata, program: binaries.postgres });
  launcher.giveAway(dataDir);
  return { dataDir, pgdata, binaries, launcher, durable: false };
}
