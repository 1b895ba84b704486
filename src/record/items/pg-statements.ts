import { quoteIdentifier, quoteTable } from '../copy.ts';
import type { ItemIndex, ItemTableDefinition } from './item-table.ts';

/** A statement that writes many rows, each `[...key, ...values]`. It returns, in their order, `attributes` (null: not done) and the transaction id. */
export interface ItemStatement {
  readonly sql: string;
  readonly columns: readonly string[];
}

export interface ItemStatements {
  /** Values: attributes. Not done where the item is there. */
  readonly create: ItemStatement;
  /** Values: attributes. */
  readonly put: ItemStatement;
  /** Values: condition or null, attributes. Not done where the item is not there, or the condition does not hold. */
  readonly replace: ItemStatement;
  /** Values: condition or null, attributes set. Not done as `replace`. */
  readonly set: ItemStatement;
  /** Values: condition or null, attributes set, array of names removed or null, numbers added or null. Not done as `replace`. */
  readonly update: ItemStatement;
  /** Values: condition or null. Returns what was there. */
  readonly remove: ItemStatement;
  /** `$1`: keys as JSON arrays. */
  readonly get: string;
  /** The same, and none can change before the transaction's end. */
  readonly getLocked: string;
}

/** The columns of the table's key. */
export function keyColumns({ partition, sort }: ItemTableDefinition): string[] {
  return sort === undefined ? [partition] : [partition, sort];
}

export function statements(definition: ItemTableDefinition): ItemStatements {
  const keys = keyColumns(definition).map(quoteIdentifier);
  const table = quoteTable(definition.name);
  const same = keys.map((key, i) => `t.${key} = sent.k${i}`).join(' and ');
  const statement = (values: readonly string[], written: string): ItemStatement => {
    const names = [...keys.map((_, i) => `k${i}`), ...values];
    const arrays = names.map((_, i) => `$${i + 1}::text[]`);
    const matched = keys.map((key, i) => `written.${key} = sent.k${i}`).join(' and ');
    return {
      columns: names.map(() => 'text'),
      sql: `
        with sent as materialized (
          select * from unnest(${arrays.join(', ')}) with ordinality as sent (${names.join(', ')}, place)),
        written as (${written} returning ${keys.map((key) => `t.${key}`).join(', ')}, t.attributes::text as attributes)
        select written.attributes, pg_current_xact_id()::text as lockstep_xid
          from sent left join written on ${matched} order by sent.place`,
    };
  };
  const insert = `insert into ${table} as t (${keys.join(', ')}, attributes)
    select ${keys.map((_, i) => `sent.k${i}`).join(', ')}, sent.attributes::jsonb from sent order by sent.place`;
  const where = `where ${same} and (sent.condition is null or t.attributes @@ sent.condition::jsonpath)`;
  const get = `select sent.key, t.attributes::text as attributes from unnest($1::text[]) as sent (key)
    join ${table} t on ${keys.map((key, i) => `t.${key} = sent.key::jsonb ->> ${i}`).join(' and ')}`;
  return {
    create: statement(['attributes'], `${insert} on conflict do nothing`),
    put: statement(
      ['attributes'],
      `${insert} on conflict (${keys.join(', ')}) do update set attributes = excluded.attributes`,
    ),
    replace: statement(
      ['condition', 'attributes'],
      `update ${table} t set attributes = sent.attributes::jsonb from sent ${where}`,
    ),
    set: statement(
      ['condition', 'set'],
      `update ${table} t set attributes = t.attributes || sent.set::jsonb from sent ${where}`,
    ),
    update: statement(
      ['condition', 'set', 'removed', 'added'],
      `update ${table} t set attributes = ${UPDATED} from sent ${where}`,
    ),
    remove: statement(['condition'], `delete from ${table} t using sent ${where}`),
    get,
    getLocked: `${get} for share of t`,
  };
}

const UPDATED = `
  (t.attributes - coalesce(array(select jsonb_array_elements_text(sent.removed::jsonb)), '{}')) || sent.set::jsonb ||
  (select coalesce(jsonb_object_agg(a.key, coalesce((t.attributes ->> a.key)::numeric, 0) + a.value::numeric), '{}')
     from jsonb_each_text(sent.added::jsonb) a)`;

/** An attribute in SQL: a column of the key, or within `attributes`. Texts compare by their bytes. */
export function attributeSql(definition: ItemTableDefinition, name: string): string {
  if (keyColumns(definition).includes(name)) return quoteIdentifier(name);
  return `(attributes ->> ${literal(name)}) collate "C"`;
}

/** The SQL that makes the table and its indexes: what a service's migration holds. */
export function itemTableSql(definition: ItemTableDefinition): string {
  const keys = keyColumns(definition).map(quoteIdentifier);
  const columns = keys.map((key) => `  ${key} text collate "C" not null,\n`).join('');
  const table = `create table ${quoteTable(definition.name)} (\n${columns}  attributes jsonb not null,\n  primary key (${keys.join(', ')})\n);\n`;
  const indexes = Object.entries(definition.indexes ?? {}).map(([name, index]) => indexSql(definition, name, index));
  return [table, ...indexes].join('');
}

function indexSql(definition: ItemTableDefinition, name: string, index: ItemIndex): string {
  const [, table = definition.name] = definition.name.split('.');
  const indexed = [index.partition, ...(index.sort === undefined ? [] : [index.sort])];
  const parts = [...new Set([...indexed, ...keyColumns(definition)])].map((part) => attributeSql(definition, part));
  const list = parts.map((part) => (part.startsWith('(') ? `(${part})` : part)).join(', ');
  return `create index ${quoteIdentifier(`${table}_${name}`)} on ${quoteTable(definition.name)} (${list});\n`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
