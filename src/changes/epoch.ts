import { createHash } from 'node:crypto';
import type { Ask } from './catalog.ts';

/** What one log is known by: two logs of which any of these differs have LSNs that do not compare. */
export interface LogIdentity {
  readonly systemId: string;
  readonly timeline: number;
  readonly databaseOid: number;
  /** Set anew by whoever restores the files of a stopped server, where none of the others changes. */
  readonly restoreId: string;
}

/** A short text for a log (12 characters of `0-9a-z`). */
export function epochOf(log: LogIdentity): string {
  return shortHash([log.systemId, log.timeline, log.databaseOid, log.restoreId]);
}

/**
 * A short text for the database that a log is of: the same on a standby that is promoted, and another one for each database of
 * a server and for each restored copy, which may all live at once.
 */
export function databaseOf(log: LogIdentity): string {
  return shortHash([log.systemId, log.databaseOid, log.restoreId]);
}

function shortHash(parts: readonly (string | number)[]): string {
  const text = JSON.stringify(parts);
  const hash = createHash('sha256').update(text).digest().readBigUInt64BE();
  return hash.toString(36).padStart(12, '0').slice(-12);
}

/** Reads the parts that IDENTIFY_SYSTEM does not tell. Table `lockstep.epoch (restore_id text)` need not exist. */
export async function readDatabaseIdentity(ask: Ask): Promise<{ databaseOid: number; restoreId: string }> {
  const [facts] = await ask(
    `select oid::bigint as "databaseOid", to_regclass('lockstep.epoch') is not null as "hasEpoch"
     from pg_catalog.pg_database where datname = current_database()`,
  );
  const [epoch] = facts!.hasEpoch ? await ask('select restore_id::text as id from lockstep.epoch') : [];
  return { databaseOid: Number(facts!.databaseOid), restoreId: String(epoch?.id ?? '') };
}
