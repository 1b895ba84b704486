import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { lockDirectory } from '../directory-lock.ts';
import { type Launcher, launcherFor } from '../embedded/account.ts';
import { findBinaries } from '../embedded/binaries.ts';
import { startEmbedded } from '../embedded.ts';
import type { Log } from '../log.ts';
import type { ManifestFacts } from './manifest.ts';
import { readBackup } from './read.ts';
import type { TarEntry, TarSink } from './tar.ts';
import { syncDirectory } from './write.ts';

export interface RestoreOptions {
  readonly file: string;
  /** Must be empty, or not be there. */
  readonly dataDir: string;
  readonly log: Log;
  readonly progress?: (done: number, of: number) => void;
}

export interface RestoreReport extends ManifestFacts {
  readonly dataDir: string;
  /** Makes the epoch of positions another one. */
  readonly restoreId: string;
}

const WORK_PREFIX = '.restore-';
/** What a stopped server may leave beside its database. */
const LEFTOVERS = new Set(['run', 'socket']);

/**
 * Makes an embedded database from a backup: unpacks and verifies it beside, lets PostgreSQL bring it to a consistent state, makes
 * the epoch a new one, so that positions from after the backup are known as such (CORRECTNESS 1), and only then moves it into
 * place. Throws what is wrong, and then leaves nothing behind.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const lock = await lockDirectory(options.dataDir);
  try {
    await clearUnfinished(lock.directory);
    refuseFull(lock.directory);
    const work = mkdtempSync(join(lock.directory, WORK_PREFIX));
    try {
      // Of the place where it will be: whoever may pass to there may pass to here.
      const pgdata = join(lock.directory, 'postgres');
      const launcher = launcherFor({ dataDir: lock.directory, pgdata, program: findBinaries().postgres });
      const facts = await unpackBackup({ ...options, work, launcher });
      const restoreId = await makeAnotherEpoch(work, options.log);
      await rename(join(work, 'postgres'), join(lock.directory, 'postgres'));
      await syncDirectory(lock.directory);
      return { dataDir: lock.directory, restoreId, ...facts };
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 5 });
    }
  } finally {
    await lock.release();
  }
}

function refuseFull(dataDir: string): void {
  const [found] = readdirSync(dataDir).filter((name) => !LEFTOVERS.has(name));
  if (found === undefined) return;
  throw new Error(
    `${dataDir} is not empty (there is ${found}): a restore replaces nothing. Move it away, or name another folder with --data.`,
  );
}

async function clearUnfinished(dataDir: string): Promise<void> {
  const names = readdirSync(dataDir).filter((name) => name.startsWith(WORK_PREFIX));
  for (const name of names) await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
}

export interface UnpackOptions extends Pick<RestoreOptions, 'file' | 'progress'> {
  readonly work: string;
  readonly launcher: Launcher;
}

/** Into `<work>/postgres`, which a server can be started on: its log makes it consistent. */
export async function unpackBackup({ file, progress, work, launcher }: UnpackOptions): Promise<ManifestFacts> {
  const pgdata = join(work, 'postgres');
  const made = (path: string) => launcher.giveAway(path);
  made(work);
  mkdirSync(pgdata, { mode: 0o700 });
  made(pgdata);
  const unpacker = new Unpacker(pgdata, made);
  try {
    const facts = await readBackup({ file, sink: unpacker, ...(progress && { progress }) });
    await unpacker.sync();
    return facts;
  } finally {
    await unpacker.close();
  }
}

/** Writes the files, each on disk before the next. */
class Unpacker implements TarSink {
  readonly #root: string;
  readonly #made: (path: string) => void;
  readonly #directories = new Set<string>();
  #file: FileHandle | undefined;

  constructor(root: string, made: (path: string) => void) {
    this.#root = root;
    this.#made = made;
    this.#directories.add(root);
  }

  async begin({ path, kind, mode }: TarEntry): Promise<void> {
    const target = join(this.#root, path);
    this.#directory(kind === 'directory' ? target : dirname(target));
    if (kind === 'directory') return;
    this.#file = await open(target, 'wx', mode & 0o700);
    this.#made(target);
  }

  async data(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#file!.write(bytes, at)).bytesWritten;
  }

  async end(): Promise<void> {
    await this.#file?.datasync();
    await this.close();
  }

  async sync(): Promise<void> {
    for (const directory of this.#directories) await syncDirectory(directory);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #directory(path: string): void {
    if (this.#directories.has(path)) return;
    this.#directory(dirname(path));
    mkdirSync(path, { mode: 0o700 });
    this.#made(path);
    this.#directories.add(path);
  }
}

/** Starting the server is the last proof of the backup: it reads the log up to where the files are consistent, or does not start. */
async function makeAnotherEpoch(work: string, log: Log): Promise<string> {
  const restoreId = `${new Date().toISOString()} ${randomBytes(8).toString('hex')}`;
  const lock = { directory: work, release: async () => {} };
  const postgres = await startEmbedded({ dataDir: work, lock, log });
  try {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on('error', () => {});
    await client.connect();
    try {
      await client.query(EPOCH);
      await client.query('insert into lockstep.epoch values ($1)', [restoreId]);
    } finally {
      await client.end();
    }
  } finally {
    await postgres.stop();
  }
  return restoreId;
}

const EPOCH = `
  create schema if not exists lockstep;
  create table if not exists lockstep.epoch (restore_id text not null);
  delete from lockstep.epoch`;
