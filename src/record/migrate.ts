import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { quoteIdentifier } from './copy.ts';
import type { PgRecord, RecordTransaction } from './record.ts';

/** One part of Lockstep with tables of its own. */
export interface Component {
  /** Names it in `lockstep.migrations`. */
  readonly name: string;
  /** Made where it is missing. */
  readonly schema: string;
  /** Of files `001-what-it-does.sql`, `002-...`; anything else in it but `.sql` files is ignored. */
  readonly folder: URL;
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

type Applied = Pick<Migration, 'number' | 'name' | 'checksum'>;

const BOOKKEEPING = `
  create schema if not exists lockstep;
  create table if not exists lockstep.migrations (
    component  text not null,
    number     integer not null,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default now(),
    primary key (component, number)
  )`;

/**
 * Brings a component's tables up to date, in one transaction: all of it or nothing (so no `create index concurrently`). Starts
 * at the same time wait for one another. Returns the names of what was applied. Throws an error for the operator when a file
 * that was applied has changed since, or the database was migrated by a newer version.
 */
export async function migrate(record: PgRecord, component: Component): Promise<string[]> {
  const known = await readMigrations(component.folder);
  const { value } = await record.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('lockstep.migrations', 0))`);
    const pending = pendingOf(component.name, known, await appliedTo(tx, component.name));
    if (pending.length > 0) await ensureSchema(tx, component.schema);
    for (const migration of pending) await apply(tx, component.name, migration);
    return pending.map(({ name }) => name);
  });
  return value;
}

/** The files in order, numbered from 1 without a gap. */
export async function readMigrations(folder: URL): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const number = Number(/^(\d+)-[a-z0-9-]+\.sql$/.exec(file)?.[1]);
      if (number !== index + 1) {
        const expected = String(index + 1).padStart(3, '0');
        throw new Error(
          `${folder.pathname}${file}: expected ${expected}-<name>.sql here, numbered without gaps from 001`,
        );
      }
      const sql = await readFile(new URL(file, withSlash(folder)), 'utf8');
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { number, name: file, sql, checksum };
    }),
  );
}

/** What is left to apply. Throws when what is applied is not what is known. */
export function pendingOf(component: string, known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  for (const { number, name, checksum } of applied) {
    const file = known[number - 1];
    if (!file) {
      throw new Error(
        `The database was migrated by a newer version: ${component} is at ${name}, and this version knows only ` +
          `${known.at(-1)?.name ?? 'no migration'}. Start the newer version, or restore a backup from before it.`,
      );
    }
    if (file.checksum !== checksum) {
      throw new Error(
        `The migration ${component}/${file.name} has changed since it was applied (as ${name}). Put back its old text, ` +
          `and make the change in a new file, ${String(known.length + 1).padStart(3, '0')}-<name>.sql.`,
      );
    }
  }
  return known.slice(applied.length);
}

async function appliedTo(tx: RecordTransaction, component: string): Promise<Applied[]> {
  const [table] = await tx.query(`select to_regclass('lockstep.migrations')::text as name`);
  if (!table?.name) await tx.query(BOOKKEEPING);
  return tx.query<Applied>(
    'select number, name, checksum from lockstep.migrations where component = $1 order by number',
    [component],
  );
}

/** Asked for first: `create schema if not exists` needs the right to make one even where it exists. */
async function ensureSchema(tx: RecordTransaction, schema: string): Promise<void> {
  const found = await tx.query('select from pg_namespace where nspname = $1', [schema]);
  if (found.length === 0) await tx.query(`create schema ${quoteIdentifier(schema)}`);
}

async function apply(
  tx: RecordTransaction,
  component: string,
  { number, name, sql, checksum }: Migration,
): Promise<void> {
  try {
    await tx.query(sql);
  } catch (error) {
    throw error instanceof pg.DatabaseError ? failedAt(`${component}/${name}`, sql, error) : error;
  }
  await tx.query('insert into lockstep.migrations (component, number, name, checksum) values ($1, $2, $3, $4)', [
    component,
    number,
    name,
    checksum,
  ]);
}

function failedAt(file: string, sql: string, error: pg.DatabaseError): Error {
  const line = sql.slice(0, Number(error.position ?? 0)).split('\n').length;
  return new Error(`The migration ${file} failed at line ${line}, and nothing was changed: ${error.message}`, {
    cause: error,
  });
}

function withSlash(folder: URL): URL {
  return folder.pathname.endsWith('/') ? folder : new URL(`${folder.href}/`);
}
