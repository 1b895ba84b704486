import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseBackup } from '../record/backup/base-backup.ts';
import { type Cluster, initialise } from '../record/embedded/initialise.ts';
import { clusterIn, TestServer } from './postgres-server.ts';
import { freePort } from './server-process.ts';

const HASTEN_MS = 150;
const SLOT = 'standby_1';

/** A primary and its streaming standby, with a database `lockstep`. */
export class PostgresPair {
  /** Of both; it stays when they change places. */
  readonly url: string;
  readonly #slots: boolean;
  #primary: TestServer;
  #standby: TestServer;

  private constructor(primary: TestServer, standby: TestServer, slots: boolean) {
    this.#primary = primary;
    this.#standby = standby;
    this.#slots = slots;
    this.url = `postgres://${primary.credentials}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/lockstep`;
  }

  /** `slots`: the standby keeps failover slots. */
  static async start(root: string, slots: boolean): Promise<PostgresPair> {
    const primary = new TestServer({ cluster: clusterIn(root, 'one'), port: await freePort() });
    const standby = new TestServer({ cluster: clusterIn(root, 'other'), port: await freePort() });
    await initialise(primary.cluster);
    await primary.start();
    const pair = new PostgresPair(primary, standby, slots);
    try {
      await primary.ask('create database lockstep', 'postgres');
      await pair.replaceStandby();
    } catch (error) {
      await pair.kill();
      throw error;
    }
    return pair;
  }

  get primary(): TestServer {
    return this.#primary;
  }

  get standby(): TestServer {
    return this.#standby;
  }

  /** Makes commits wait for the standby, and failover slots too. */
  async synchronise(): Promise<void> {
    await this.#primary.ask(`alter system set synchronized_standby_slots = '${SLOT}';
      alter system set synchronous_standby_names = '${SLOT}'; select pg_reload_conf()`);
    await this.#primary.until(`exists (select from pg_stat_replication where sync_state = 'sync')`);
  }

  /** The standby has every failover slot of the primary. */
  async slotsSynchronised(count: number): Promise<void> {
    await this.#standby.until(
      `(select count(*) from pg_replication_slots where synced and not temporary) = ${count}`,
      'postgres',
      () => hasten(this.#primary, this.#standby),
    );
  }

  /** Kills the primary. Its standby is the primary from then on, and has none. */
  async failOver(): Promise<void> {
    await this.#primary.kill();
    await this.#standby.ask('select pg_promote()', 'postgres');
    [this.#primary, this.#standby] = [this.#standby, this.#primary];
  }

  /** Makes a standby where there is none: of the files that the primary sends. */
  async replaceStandby(): Promise<void> {
    const [primary, { port, cluster }] = [this.#primary, this.#standby];
    await this.#standby.kill();
    await copyFiles(primary.url('postgres'), cluster);
    await primary.ask(
      `select pg_create_physical_replication_slot('${SLOT}', true)
        where not exists (select from pg_replication_slots where slot_name = '${SLOT}')`,
      'postgres',
    );
    this.#standby = new TestServer({ cluster, port, settings: settingsOf(primary, this.#slots) });
    await this.#standby.start();
    await primary.until(`exists (select from pg_stat_replication where application_name = '${SLOT}')`);
    await this.#standby.until(`exists (select from pg_database where datname = 'lockstep')`, 'postgres');
  }

  async kill(): Promise<void> {
    for (const server of [this.#primary, this.#standby]) await server.kill();
  }
}

/** Gone with the test. */
export async function postgresPair(t: Pick<TestContext, 'after'>, { slots = true } = {}): Promise<PostgresPair> {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-pair-'));
  let pair: PostgresPair | undefined;
  t.after(async () => {
    await pair?.kill();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  });
  pair = await PostgresPair.start(root, slots);
  return pair;
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

function settingsOf(primary: TestServer, slots: boolean): Readonly<Record<string, string>> {
  const [user, password] = primary.credentials.split(':');
  const target = `host=127.0.0.1 port=${primary.port} user=${user} password=${password} dbname=postgres`;
  return {
    primary_conninfo: `${target} application_name=${SLOT}`,
    primary_slot_name: SLOT,
    hot_standby_feedback: 'on',
    wal_retrieve_retry_interval: '200ms',
    sync_replication_slots: slots ? 'on' : 'off',
  };
}

/** The files of the server at `url`, in place of what was there, as those of a standby. */
async function copyFiles(url: string, { pgdata, launcher }: Cluster): Promise<void> {
  rmSync(pgdata, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(pgdata, { mode: 0o700 });
  launcher.giveAway(pgdata);
  const tar = launcher.start('tar', ['-x', '-C', pgdata], {
    deathSignal: 'KILL',
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(tar, 'exit');
  await pipeline(Readable.from(archiveOf(url)), tar.stdin!);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code}`);
  const signal = join(pgdata, 'standby.signal');
  writeFileSync(signal, '');
  launcher.giveAway(signal);
}

async function* archiveOf(url: string): AsyncGenerator<Buffer> {
  for await (const part of baseBackup(url)) if (part.kind === 'archive') yield part.bytes;
}
