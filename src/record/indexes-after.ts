import { quoteTable } from './copy.ts';
import type { RecordTransaction } from './record.ts';

interface Index {
  readonly name: string;
  readonly definition: string;
}

/** Indexes that carry no constraint. One in a tablespace of its own is left: its definition would not say so. */
const SECONDARY = `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1::regclass and not i.indisunique and i.indisvalid and c.reltablespace = 0 order by 1`;

/** Of a build, and gone with the transaction. */
const MEMORY = `set local maintenance_work_mem = '256MB'`;

/**
 * Drops the secondary indexes of an empty table that nobody uses at the moment, and returns what makes them again: to make an
 * index of many rows takes a fraction of what it takes to add them to it one by one. Until the transaction ends the table is
 * locked, so one that has rows keeps its indexes, and so does one that is in use.
 */
export async function setIndexesAside(tx: RecordTransaction, table: string): Promise<() => Promise<void>> {
  const indexes = await tx.query<Index>(SECONDARY, [quoteTable(table)]);
  if (indexes.length === 0 || !(await isDropped(tx, table, indexes))) return async () => {};
  return async () => {
    await tx.query(MEMORY);
    for (const { definition } of indexes) await tx.query(definition);
  };
}

async function isDropped(tx: RecordTransaction, table: string, indexes: readonly Index[]): Promise<boolean> {
  const name = quoteTable(table);
  await tx.query(`do $$
    begin
      if exists (select from ${name}) then return; end if;
      lock table ${name} in access exclusive mode nowait;
      if exists (select from ${name}) then raise lock_not_available; end if;
      drop index ${indexes.map((index) => index.name).join(', ')};
    exception when lock_not_available then null;
    end $$`);
  const [left] = await tx.query<{ there: boolean }>('select to_regclass($1) is not null as there', [indexes[0]!.name]);
  return !left!.there;
}
