import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launcher } from './account.ts';
import type { Binaries } from './binaries.ts';

export const SUPERUSER = 'lockstep';
/** In PGDATA, read by PostgreSQL after its own file. */
export const SETTINGS_FILE = 'lockstep.conf';
/** In PGDATA, so that data and password cannot be parted. Mode 0600. */
const PASSWORD_FILE = 'lockstep.password';
const MAJOR = '18';
const WORK_PREFIX = '.initdb-';

export interface Cluster {
  readonly dataDir: string;
  readonly pgdata: string;
  readonly binaries: Binaries;
  readonly launcher: Launcher;
  /** Whether what is made must survive a crash of the machine; tests do without. */
  readonly durable: boolean;
}

/**
 * Makes the database files where there are none. They are made beside and moved into place when whole, so that a start that
 * was killed half-way leaves nothing that looks like data. Returns whether they were made now.
 */
export async function initialise(cluster: Cluster): Promise<boolean> {
  await removeUnfinished(cluster.dataDir);
  if (existsSync(cluster.pgdata)) {
    checkVersion(cluster.pgdata);
    return false;
  }
  const work = mkdtempSync(join(cluster.dataDir, WORK_PREFIX));
  cluster.launcher.giveAway(work);
  const made = join(work, 'postgres');
  await runInitdb(cluster, work, made);
  appendFileSync(join(made, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`);
  renameSync(join(work, 'password'), join(made, PASSWORD_FILE));
  await syncDirectory(made);
  renameSync(made, cluster.pgdata);
  await syncDirectory(cluster.dataDir);
  await rm(work, { recursive: true });
  return true;
}

/** The superuser's password. */
export function readPassword(pgdata: string): string {
  const file = join(pgdata, PASSWORD_FILE);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`The embedded database's password cannot be read from ${file}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function removeUnfinished(dataDir: string): Promise<void> {
  const leftovers = readdirSync(dataDir).filter((name) => name.startsWith(WORK_PREFIX));
  for (const name of leftovers) await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
}

/** The builtin C.UTF-8: text compares by code point, alike on every machine and in every later version of its libraries. */
async function runInitdb(cluster: Cluster, work: string, pgdata: string): Promise<void> {
  const password = join(work, 'password');
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  mkdirSync(pgdata, { mode: 0o700 });
  for (const path of [password, pgdata]) cluster.launcher.giveAway(path);
  const initdb = cluster.launcher.start(
    cluster.binaries.initdb,
    [
      `--pgdata=${pgdata}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
      '--no-instructions',
      ...(cluster.durable ? [] : ['--no-sync']),
    ],
    { deathSignal: 'KILL', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let errors = '';
  initdb.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const [code, signal] = await once(initdb, 'close');
  if (code !== 0) {
    const end = signal ? `signal ${signal}` : `exit code ${code}`;
    throw new Error(`initdb could not make the embedded database in ${cluster.dataDir} (${end}): ${errors.trim()}`);
  }
}

function checkVersion(pgdata: string): void {
  const file = join(pgdata, 'PG_VERSION');
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  if (found === MAJOR) return;
  if (found === undefined) {
    throw new Error(`${pgdata} is no PostgreSQL data directory (no PG_VERSION). Move it away, or set LOCKSTEP_DATA.`);
  }
  throw new Error(
    `${pgdata} holds data of PostgreSQL ${found}, and this Lockstep ships PostgreSQL ${MAJOR}, which cannot read it. ` +
      `Dump it with the Lockstep that made it (pg_dumpall), move ${pgdata} away, start this one, and load the dump; ` +
      `or run PostgreSQL ${found} yourself and set DATABASE_URL.`,
  );
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
