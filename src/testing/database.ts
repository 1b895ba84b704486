import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbedded } from '../record/embedded.ts';
import { silent } from '../record/log.ts';
import { migrate } from '../record/migrate.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord } from '../record/record.ts';

export interface TestDatabase {
  readonly url: string;
  readonly record: PgRecord;
  /** Done by itself at the end of the file; sooner on request. Fails when something is still connected. */
  close(): Promise<void>;
}

export { silent as silentLog } from '../record/log.ts';

/** How long sessions may take to end after the test (milliseconds). */
const PATIENCE = 5_000;
const TEMPLATE = 'lockstep_test_template';

/**
 * A new database with Lockstep's own tables, on the test run's server (LOCKSTEP_TEST_PG) or on one of this test file. It is
 * dropped when all tests of the file and their `after` hooks are done; a connection that is left then fails the file.
 */
export async function testDatabase(t: { readonly name: string }): Promise<TestDatabase> {
  const server = await serverUrl();
  await templateReady(server);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, (admin) => admin.query(`create database ${name} template ${TEMPLATE}`));
  const url = withDatabase(server, name);
  const record = await openRecord({ url, log: silent, idleMs: 1000 });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= record.close().then(() => administer(server, (admin) => dropDatabase(admin, name, t.name)));
    return closed;
  };
  closers.push(close);
  return { url, record, close };
}

const closers: (() => Promise<void>)[] = [];

/** The same server with another database in its URL. */
export function withDatabase(url: string, database: string): string {
  return url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}

let ownServer: Promise<EmbeddedPostgres> | undefined;
let ownDirectory: string | undefined;

async function serverUrl(): Promise<string> {
  if (process.env.LOCKSTEP_TEST_PG) return process.env.LOCKSTEP_TEST_PG;
  ownDirectory ??= mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  ownServer ??= startEmbedded({ dataDir: ownDirectory, log: silent });
  return (await ownServer).url;
}

after(async () => {
  const ends = await Promise.allSettled(closers.map((close) => close()));
  await (await ownServer)?.stop();
  if (ownDirectory) rmSync(ownDirectory, { recursive: true, force: true });
  const failures = ends.filter((end) => end.status === 'rejected').map((end) => end.reason as Error);
  if (failures.length > 0) throw new Error(failures.map(({ message }) => message).join('\n'));
});

const templates = new Map<string, Promise<void>>();

function templateReady(server: string): Promise<void> {
  const ready = templates.get(server) ?? makeTemplate(server);
  templates.set(server, ready);
  return ready;
}

/** Made under another name and renamed when whole, by whichever test file of the run comes first. */
function makeTemplate(server: string): Promise<void> {
  return administer(server, async (admin) => {
    await admin.query(`select pg_advisory_lock(hashtext('${TEMPLATE}'))`);
    const { rowCount } = await admin.query(`select from pg_database where datname = '${TEMPLATE}'`);
    if (rowCount) return;
    const draft = `${TEMPLATE}_draft`;
    await admin.query(`drop database if exists ${draft}`);
    await admin.query(`create database ${draft}`);
    const record = await openRecord({ url: withDatabase(server, draft), log: silent });
    const folder = new URL('../record/migrations/', import.meta.url);
    await migrate(record, { name: 'lockstep', schema: 'lockstep', folder });
    await record.close();
    await sessionsEnded(admin, draft);
    await admin.query(`alter database ${draft} rename to ${TEMPLATE}`);
  });
}

async function dropDatabase(admin: pg.Client, name: string, test: string): Promise<void> {
  const left = await sessionsEnded(admin, name);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await dropSlots(admin, name);
  if (!ownServer) await admin.query(`drop database ${name} with (force)`);
  if (left.length > 0) {
    throw new Error(`"${test}" left connections open: ${left.map((session) => JSON.stringify(session)).join(', ')}`);
  }
}

/** The sessions that are still there when patience is over. */
async function sessionsEnded(admin: pg.Client, database: string): Promise<object[]> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(10)) {
    const { rows } = await admin.query<object>(
      `select pid, application_name, backend_type, state, left(query, 100) as query
         from pg_stat_activity where datname = $1 and backend_type in ('client backend', 'walsender')`,
      [database],
    );
    if (rows.length === 0 || Date.now() > deadline) return rows;
  }
}

async function dropSlots(admin: pg.Client, database: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(10)) {
    await admin.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1 and not active',
      [database],
    );
    const { rowCount } = await admin.query('select from pg_replication_slots where database = $1', [database]);
    if (rowCount === 0 || Date.now() > deadline) return;
  }
}

async function administer<T>(server: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: withDatabase(server, 'postgres') });
  admin.on('error', () => {});
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
