import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { launcherFor } from './embedded/account.ts';
import { findBinaries } from './embedded/binaries.ts';
import { type Cluster, initialise, readPassword, SUPERUSER } from './embedded/initialise.ts';
import { type Server, type ServerOptions, startServer } from './embedded/server.ts';
import { makeSocketDirectory, removeSocketDirectory, socketDirectory } from './embedded/socket-directory.ts';
import type { Log } from './log.ts';

export interface EmbeddedOptions {
  /** The database is in `<dataDir>/postgres`; made where there is none. */
  readonly dataDir: string;
  readonly log: Log;
  /** The directory's lock, where the caller holds it; otherwise it is taken here, and released by `stop`. */
  readonly lock?: DirectoryLock;
  /** PostgreSQL settings instead of Lockstep's. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told each time the server ended by itself, before it is started again. */
  readonly onExit?: (reason: string) => void;
}

/** PostgreSQL 18 as a child of this process: ends with it, and is started again when it ends alone. */
export interface EmbeddedPostgres {
  /** Database `lockstep`, as superuser, over a Unix socket; the same after every restart. Holds the password. */
  readonly url: string;
  /** Of the postmaster that runs now; 0 while it is being started again. */
  readonly pid: number;
  /** A fast shutdown; returns when the server has ended. */
  stop(): Promise<void>;
}

const DATABASE = 'lockstep';
const UNKNOWN_DATABASE = '3D000';
const RESTART_DELAY = { first: 20, longest: 5_000 };

/**
 * Starts the embedded server: about a second on a new directory, well under half a second later. Throws an error for the
 * operator when another Lockstep holds the directory, the machine has no binaries, or the data is of another version.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const lock = options.lock ?? (await lockDirectory(options.dataDir));
  const release = async () => {
    if (!options.lock) await lock.release();
  };
  try {
    const supervisor = new Supervisor(await prepare(lock.directory, options), options);
    await supervisor.start();
    return {
      url: supervisor.url,
      get pid() {
        return supervisor.pid;
      },
      stop: () => supervisor.stop().finally(release),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The URL that `startEmbedded` on this directory gives, whether it runs now or not; undefined where it has made no database yet. */
export function embeddedUrl(dataDir: string): string | undefined {
  const pgdata = join(dataDir, 'postgres');
  if (!existsSync(pgdata)) return undefined;
  const directory = socketDirectory(realpathSync(dataDir), tmpdir());
  return urlOf(readPassword(pgdata), directory, DATABASE);
}

async function prepare(dataDir: string, options: EmbeddedOptions): Promise<ServerOptions> {
  const binaries = findBinaries();
  const pgdata = join(dataDir, 'postgres');
  const launcher = launcherFor({ dataDir, pgdata, program: binaries.postgres });
  const durable = options.settings?.fsync !== 'off';
  const cluster: Cluster = { dataDir, pgdata, binaries, launcher, durable };
  if (await initialise(cluster)) options.log.info({ pgdata }, 'made the embedded database');
  return {
    cluster,
    name: `lockstep-${createHash('sha256').update(pgdata).digest('hex').slice(0, 16)}`,
    socketDirectory: makeSocketDirectory(dataDir, launcher),
    settings: options.settings ?? {},
    log: options.log,
  };
}

/** Keeps a server running until it is stopped. */
class Supervisor {
  readonly url: string;
  readonly #options: ServerOptions;
  readonly #onExit: (reason: string) => void;
  #server: Server | undefined;
  #restarting: Promise<void> | undefined;
  #stopping = false;

  constructor(options: ServerOptions, { onExit }: EmbeddedOptions) {
    this.#options = options;
    this.#onExit = onExit ?? (() => {});
    this.url = urlOf(readPassword(options.cluster.pgdata), options.socketDirectory, DATABASE);
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  async start(): Promise<void> {
    try {
      await this.#run();
      await ensureDatabase(this.url);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#server?.stop();
    await this.#restarting;
    removeSocketDirectory(this.#options.socketDirectory);
  }

  async #run(): Promise<void> {
    const server = await startServer(this.#options);
    this.#server = server;
    server.ended.then((reason) => this.#ended(reason));
    if (this.#stopping) await server.stop();
  }

  #ended(reason: string): void {
    this.#server = undefined;
    if (this.#stopping) return;
    this.#options.log.warn({ reason }, 'the embedded PostgreSQL ended; starting it again');
    this.#onExit(reason);
    this.#restarting = this.#restart();
  }

  async #restart(): Promise<void> {
    for (let delay = RESTART_DELAY.first; !this.#stopping; delay = Math.min(delay * 2, RESTART_DELAY.longest)) {
      try {
        await this.#run();
        if (!this.#stopping) this.#options.log.info('the embedded PostgreSQL runs again');
        return;
      } catch (error) {
        this.#options.log.error({ err: error }, 'the embedded PostgreSQL did not start again; trying on');
        await sleep(delay);
      }
    }
  }
}

/** A URL that libpq and `pg` both take. */
function urlOf(password: string, socketDirectory: string, database: string): string {
  return `postgres://${SUPERUSER}:${password}@/${database}?host=${encodeURIComponent(socketDirectory)}`;
}

/** Also the proof that the server answers. */
async function ensureDatabase(url: string): Promise<void> {
  try {
    await runOnce(url, 'select');
  } catch (error) {
    if ((error as { code?: string }).code !== UNKNOWN_DATABASE) throw error;
    await runOnce(url.replace(`@/${DATABASE}?`, '@/postgres?'), `create database ${DATABASE}`);
  }
}

async function runOnce(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
