import type { RecordReader } from '../record/record.ts';
import { type ColumnFacts, type PartitionFacts, readTables, type TableFacts } from './catalog.ts';

/**
 * What followed rows depend on besides the changes in the log: DDL alters or moves rows without an event (CORRECTNESS 15). Equal
 * fingerprints: nothing of the kind has happened in between.
 */
export interface SchemaFingerprint {
  /** Null where there is none. `made` is another one after it was dropped and made again, or its options were altered. */
  readonly publication: { readonly oid: number; readonly made: string } | null;
  readonly tables: Readonly<Record<string, FingerprintTable | null>>;
}

interface FingerprintTable extends TableFacts {
  /** Its membership in the publication: another one after it was taken out and added again. Null: by way of a schema or all tables. */
  readonly member: number | null;
}

export async function schemaFingerprint(
  record: RecordReader,
  publication: string,
  tables: readonly string[],
): Promise<SchemaFingerprint> {
  const [row] = await record.query<Record<string, unknown>>(
    `select p.oid::bigint as oid, p.xmin::text as made,
       (select coalesce(json_object_agg(r.prrelid::bigint, r.oid::bigint), '{}')::text
        from pg_catalog.pg_publication_rel r where r.prpubid = p.oid) as members
     from pg_catalog.pg_publication p where p.pubname = $1`,
    [publication],
  );
  const facts = await readTables((sql, parameters) => record.query<Record<string, unknown>>(sql, parameters), tables);
  const members = JSON.parse(String(row?.members ?? '{}')) as Record<string, number>;
  const table = (name: string): FingerprintTable | null => {
    const found = facts.get(name);
    return found ? { ...found, member: members[found.oid] ?? null } : null;
  };
  return {
    publication: row ? { oid: Number(row.oid), made: String(row.made) } : null,
    tables: Object.fromEntries(tables.map((name) => [name, table(name)])),
  };
}

/**
 * How two fingerprints differ, in words; empty where they do not. A TRUNCATE gives a table a new file: where the stream has shown
 * one of a plain table meanwhile (`truncated`), its file says nothing.
 */
export function compareFingerprints(
  before: SchemaFingerprint,
  after: SchemaFingerprint,
  truncated: ReadonlySet<string> = new Set(),
): string[] {
  const differences: string[] = [];
  if (JSON.stringify(before.publication) !== JSON.stringify(after.publication)) {
    differences.push(after.publication ? 'the publication was made anew or altered' : 'the publication is gone');
  }
  for (const name of new Set([...Object.keys(before.tables), ...Object.keys(after.tables)])) {
    const [was, is] = [before.tables[name] ?? null, after.tables[name] ?? null];
    if (was && is) differences.push(...compareTables(was, is, truncated.has(name)));
    else if (was || is) differences.push(is ? `${name} is new` : `${name} is gone`);
  }
  return differences;
}

function compareTables(was: FingerprintTable, is: FingerprintTable, truncated: boolean): string[] {
  if (was.oid !== is.oid) return [`${is.name} was made anew`];
  const rewritten = was.file !== is.file && !truncated;
  return [
    ...(was.member === is.member ? [] : [`${is.name} was taken out of the publication or added to it`]),
    ...(rewritten ? [`${is.name} was rewritten`] : []),
    ...compareTraits(was, is),
    ...(was.key.join() === is.key.join() ? [] : [`${is.name}: key (${was.key}) became (${is.key})`]),
    ...compareNamed(is.name, 'column', was.columns, is.columns, compareColumns),
    ...compareNamed(is.name, 'partition', was.partitions, is.partitions, comparePartitions),
  ];
}

type Traits = Pick<TableFacts, 'name' | 'persistence' | 'identity'>;

function compareTraits(was: Traits, is: Traits): string[] {
  const differences: string[] = [];
  if (was.persistence !== is.persistence)
    differences.push(`${is.name}: persistence ${was.persistence} became ${is.persistence}`);
  if (was.identity !== is.identity)
    differences.push(`${is.name}: replica identity ${was.identity} became ${is.identity}`);
  return differences;
}

function compareNamed<T extends { readonly name: string }>(
  table: string,
  what: string,
  was: readonly T[],
  is: readonly T[],
  compare: (was: T, is: T) => string[],
): string[] {
  const before = new Map(was.map((part) => [part.name, part]));
  const after = new Map(is.map((part) => [part.name, part]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [a, b] = [before.get(name), after.get(name)];
    if (a && b) return compare(a, b).map((difference) => `${table}: ${difference}`);
    return [`${table}: ${what} ${name} is ${b ? 'new' : 'gone'}`];
  });
}

function compareColumns(was: ColumnFacts, is: ColumnFacts): string[] {
  const same = was.type === is.type && was.typmod === is.typmod && was.generated === is.generated;
  if (!same) return [`column ${is.name} has another type`];
  const relabelled = was.labels?.some((label, i) => label !== is.labels?.[i]);
  return relabelled ? [`labels of column ${is.name} were renamed`] : [];
}

/** A partition's file is never excused: TRUNCATE of a partition alone is not in the log when its root is published. */
function comparePartitions(was: PartitionFacts, is: PartitionFacts): string[] {
  if (was.oid !== is.oid || was.attached !== is.attached) return [`partition ${is.name} was attached anew`];
  return [...(was.file === is.file ? [] : [`partition ${is.name} was rewritten`]), ...compareTraits(was, is)];
}
