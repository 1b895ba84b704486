/** Runs a query; rows with the column values that PostgreSQL's JSON, integers and booleans have in JavaScript. */
export type Ask = (
  sql: string,
  parameters?: readonly unknown[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** What the catalogue says about a table, at one moment. */
export interface TableFacts {
  readonly oid: number;
  /** `schema.name` */
  readonly name: string;
  /** `pg_class.relkind`: `r` table, `p` partitioned. */
  readonly kind: string;
  /** `p` permanent, `u` unlogged, `t` temporary. */
  readonly persistence: string;
  /** Replica identity: `d` default, `f` full, `i` index, `n` nothing. */
  readonly identity: string;
  /** File of the rows; another one after a rewrite or a TRUNCATE. */
  readonly file: number;
  readonly columns: readonly ColumnFacts[];
  /** Columns of the replica identity index, else of the primary key, else (FULL) of a unique index without nulls. */
  readonly key: readonly string[];
  /** Leaf partitions. */
  readonly partitions: readonly PartitionFacts[];
}

export interface ColumnFacts {
  readonly name: string;
  readonly type: number;
  /** The type under a domain; otherwise the type. */
  readonly baseType: number;
  readonly typmod: number;
  readonly generated: boolean;
  /** An enum's labels, by their internal order of making: a renamed one changes rows without an event. */
  readonly labels: readonly string[] | null;
}

export interface PartitionFacts {
  readonly oid: number;
  readonly name: string;
  readonly persistence: string;
  readonly identity: string;
  readonly file: number;
  /** The transaction that attached it. */
  readonly attached: string;
}

const TABLES = `
with recursive base(domain, type) as (
  select oid, typbasetype from pg_catalog.pg_type where typtype = 'd'
  union all
  select b.domain, t.typbasetype from base b join pg_catalog.pg_type t on t.oid = b.type and t.typtype = 'd'
)
select json_build_object(
  'oid', c.oid::bigint, 'name', n.nspname || '.' || c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
  'identity', c.relreplident, 'file', c.relfilenode::bigint,
  'columns', (
    select coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', a.atttypid::bigint, 'typmod', a.atttypmod, 'generated', a.attgenerated <> '',
      'baseType', coalesce(
        (select b.type from base b join pg_catalog.pg_type t on t.oid = b.type and t.typtype <> 'd'
         where b.domain = a.atttypid), a.atttypid)::bigint,
      'labels', (select json_agg(e.enumlabel order by e.oid) from pg_catalog.pg_enum e where e.enumtypid = a.atttypid)
    ) order by a.attnum), '[]')
    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'key', (
    select coalesce(json_agg(a.attname order by k.place), '[]')
    from (
      select i.indrelid, i.indkey, i.indnkeyatts from pg_catalog.pg_index i
      where i.indrelid = c.oid and i.indisvalid and (
        i.indisprimary or (c.relreplident = 'i' and i.indisreplident) or (c.relreplident = 'f'
          and i.indisunique and i.indimmediate and i.indpred is null and i.indexprs is null and not exists (
            select from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum = any(i.indkey) and not a.attnotnull)))
      order by (c.relreplident = 'i' and i.indisreplident) desc, i.indisprimary desc, i.indexrelid limit 1
    ) i, unnest(i.indkey) with ordinality k(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
    where k.place <= i.indnkeyatts),
  'partitions', (
    select coalesce(json_agg(json_build_object(
      'oid', p.oid::bigint, 'name', (select nspname from pg_catalog.pg_namespace where oid = p.relnamespace) || '.' || p.relname, 'persistence', p.relpersistence,
      'identity', p.relreplident, 'file', p.relfilenode::bigint, 'attached', h.xmin::text
    ) order by p.oid), '[]')
    from pg_catalog.pg_partition_tree(c.oid) t
    join pg_catalog.pg_class p on p.oid = t.relid
    join pg_catalog.pg_inherits h on h.inhrelid = p.oid
    where t.isleaf and t.relid <> c.oid)
)::text as facts
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any($1) and c.relkind in ('r', 'p')`;

/** Facts of the tables that there are, by name, all from one snapshot of the catalogue. */
export async function readTables(ask: Ask, tables: readonly string[]): Promise<Map<string, TableFacts>> {
  const rows = await ask(TABLES, [tables]);
  const facts = rows.map((row) => JSON.parse(String(row.facts)) as TableFacts);
  return new Map(facts.map((table) => [table.name, table]));
}

/** Whether every row's change carries its whole old row. */
export function isFull(table: TableFacts): boolean {
  if (table.partitions.length === 0) return table.identity === 'f';
  return table.partitions.every((partition) => partition.identity === 'f');
}

/** What the log and a publication know of a table: without generated columns. */
export function loggedColumns(table: TableFacts): readonly ColumnFacts[] {
  return table.columns.filter((column) => !column.generated);
}
