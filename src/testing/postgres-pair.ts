import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { launcherFor } from '../record/embedded/account.ts';
import { findBinaries } from '../record/embedded/binaries.ts';
import { type Cluster, initialise, readPassword, SETTINGS_FILE } from '../record/embedded/initialise.ts';
import { processesOf } from '../record/embedded/leftovers.ts';
import { serverSettings } from '../record/embedded/settings.ts';
import { freePort } from './server-process.ts';

const PATIENCE_MS = 30_000;
const CONNECT_MS = 30_000;
const LOOK_MS = 50;
const HASTEN_MS = 150;
const SLOT = 'standby_1';
const SETTINGS = { shared_buffers: '32MB', listen_addresses: '127.0.0.1', unix_socket_directories: '' };

/** A PostgreSQL on a port of the loopback interface, to be killed. */
export class TestServer {
  readonly port: number;
  readonly #cluster: Cluster;
  readonly #settings: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(options: { cluster: Cluster; port: number; settings?: Readonly<Record<string, string>> }) {
    this.#cluster = options.cluster;
    this.port = options.port;
    this.#settings = { ...SETTINGS, port: String(options.port), ...options.settings };
  }

  get #name(): string {
    return `lockstep-test-${this.port}`;
  }

  get credentials(): string {
    return `lockstep:${readPassword(this.#cluster.pgdata)}`;
  }

  url(database = 'lockstep'): string {
    return `postgres://${this.credentials}@127.0.0.1:${this.port}/${database}`;
  }

  /** Returns when it answers. */
  async start(): Promise<void> {
    const { pgdata, binaries, launcher } = this.#cluster;
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
    for (const pid of processesOf(this.#cluster.pgdata, this.#name)) {
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

export interface PostgresPair {
  readonly primary: TestServer;
  readonly standby: TestServer;
  /** Of both. */
  readonly url: string;
  /** Makes commits wait for the standby, and failover slots too. */
  synchronise(): Promise<void>;
  /** The standby has every failover slot of the primary. */
  slotsSynchronised(count: number): Promise<void>;
}

/** A primary and a streaming standby with a database `lockstep`, gone with the test. `slots`: the standby keeps failover slots. */
export async function postgresPair(t: Pick<TestContext, 'after'>, { slots = true } = {}): Promise<PostgresPair> {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-pair-'));
  const servers: TestServer[] = [];
  t.after(async () => {
    for (const server of servers) await server.kill();
    rmSync(root, { recursive: true, force: true });
  });
  const cluster = clusterIn(root, 'primary');
  const primary = new TestServer({ cluster, port: await freePort() });
  servers.push(primary);
  await initialise(cluster);
  const standby = await makeStandby({ root, cluster, primary, slots });
  servers.push(standby);
  await primary.start();
  await primary.ask(
    `create database lockstep; select pg_create_physical_replication_slot('${SLOT}', true)`,
    'postgres',
  );
  await standby.start();
  await primary.until(`exists (select from pg_stat_replication where application_name = '${SLOT}')`);
  await standby.until(`exists (select from pg_database where datname = 'lockstep')`, 'postgres');
  return {
    primary,
    standby,
    url: `postgres://${primary.credentials}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/lockstep`,
    synchronise: async () => {
      await primary.ask(`alter system set synchronized_standby_slots = '${SLOT}';
        alter system set synchronous_standby_names = '${SLOT}'; select pg_reload_conf()`);
      await primary.until(`exists (select from pg_stat_replication where sync_state = 'sync')`);
    },
    slotsSynchronised: (count) =>
      standby.until(
        `(select count(*) from pg_replication_slots where synced and not temporary) = ${count}`,
        'postgres',
        () => hasten(primary, standby),
      ),
  };
}

/**
 * A slot is kept on the standby from when the primary's has moved on past what the standby reserved for it. That takes a record of
 * the running transactions, which PostgreSQL writes every 15 s, and a look of the standby's worker, which sleeps for up to 30 s
 * where it found nothing new: together longer than a test should wait. A reload wakes the worker.
 */
async function hasten(primary: TestServer, standby: TestServer): Promise<void> {
  await primary.ask('select pg_log_standby_snapshot()', 'postgres');
  await standby.ask('select pg_reload_conf()', 'postgres');
  await sleep(HASTEN_MS);
}

/** From the files of a primary that has not started yet. */
async function makeStandby(options: {
  root: string;
  cluster: Cluster;
  primary: TestServer;
  slots: boolean;
}): Promise<TestServer> {
  const { root, primary, slots } = options;
  const cluster = clusterIn(root, 'standby');
  execFileSync('cp', ['-a', options.cluster.pgdata, cluster.pgdata]);
  const signal = join(cluster.pgdata, 'standby.signal');
  writeFileSync(signal, '');
  cluster.launcher.giveAway(signal);
  const [user, password] = primary.credentials.split(':');
  const target = `host=127.0.0.1 port=${primary.port} user=${user} password=${password} dbname=postgres`;
  const settings = {
    primary_conninfo: `${target} application_name=${SLOT}`,
    primary_slot_name: SLOT,
    hot_standby_feedback: 'on',
    wal_retrieve_retry_interval: '200ms',
    sync_replication_slots: slots ? 'on' : 'off',
  };
  return new TestServer({ cluster, port: await freePort(), settings });
}

function clusterIn(root: string, name: string): Cluster {
  const dataDir = join(root, name);
  mkdirSync(dataDir, { recursive: true });
  const pgdata = join(dataDir, 'postgres');
  const binaries = findBinaries();
  const launcher = launcherFor({ dataDir, pgdata, program: binaries.postgres });
  launcher.giveAway(dataDir);
  return { dataDir, pgdata, binaries, launcher, durable: false };
}
