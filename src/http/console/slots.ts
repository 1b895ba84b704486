import type { RecordReader } from '../../record/record.ts';

/** A replication slot that keeps log of this database. */
export interface SlotReport {
  readonly name: string;
  readonly temporary: boolean;
  /** Whether somebody follows it. */
  readonly active: boolean;
  readonly retainedBytes: number;
}

export interface RecordReport {
  readonly slots: readonly SlotReport[];
  /** All tables and indexes. */
  readonly databaseBytes: number;
}

const SLOTS = `
  select slot_name as name, temporary, active,
         coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8 as "retainedBytes"
    from pg_replication_slots where database = current_database() order by temporary, slot_name limit 100`;

const SIZE = 'select pg_database_size(current_database())::float8 as bytes';

/** Every slot on the database, also those of rebuilds and of other nodes. */
export async function recordReport(record: RecordReader): Promise<RecordReport> {
  const slots = await record.query<SlotReport>(SLOTS);
  const [size] = await record.query<{ bytes: number }>(SIZE);
  return { slots, databaseBytes: size!.bytes };
}
