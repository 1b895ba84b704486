import { quoteIdentifier, quoteTable } from '../copy.ts';
import type { ItemIndex, ItemTableDefinition } from './item-table.ts';

/**
 * A statement that writes many rows, each `[...key, ...values]`. It returns, of each that was done, its place among them (from 1),
 * the transaction id and, unless they are what was sent, its `attributes`.
 */
export interface ItemStatement {
  readonly sql: string;
  readonly columns: readonly string[];
}

export interface ItemStatements {
  /**
   * The two that are frequent, in one. Values: `create` or `set`, condition or null, attributes. `create` is not done where the item is
   * there, `set` where it is not there or the condition does not hold.
   */
  readonly step: ItemStatement;
  /** Values: attributes. */
  readonly put: ItemStatement;
  /** Values: condition or null, attributes. Not done as `set`. */
  readonly replace: ItemStatement;
  /** Values: condition or null, attributes set, array of names removed or null, numbers added or null. Not done as `set`. */
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
  const statement = (values: readonly string[], sql: (sent: string) => string): ItemStatement => {
    const names = [...keys.map((_, i) => `k${i}`), ...values];
    const arrays = names.map((_, i) => `$${i + 1}::text[]`).join(', ');
    return {
      columns: names.map(() => 'text'),
      sql: sql(`unnest(${arrays}) with ordinality as sent (${names.join(', ')}, place)`),
    };
  };
  const place = `sent.place::integer as lockstep_place, pg_current_xact_id()::text as lockstep_xid`;
  const now = `t.attributes::text as attributes, ${place}`;
  const where = `where ${same} and (sent.condition is null or t.attributes @@ sent.condition::jsonpath)`;
  const change = (values: readonly string[], attributes: string, returned: string) =>
    statement(
      ['condition', ...values],
      (sent) => `update ${table} t set attributes = ${attributes} from ${sent} ${where} returning ${returned}`,
    );
  const insert = (rows: string, conflict: string) => `
    insert into ${table} as t (${keys.join(', ')}, attributes)
    select ${keys.map((_, i) => `sent.k${i}`).join(', ')}, sent.attributes::jsonb from ${rows} order by sent.place
    on conflict ${conflict} returning ${keys.map((key) => `t.${key}`).join(', ')}`;
  const created = keys.map((key, i) => `created.${key} = sent.k${i}`).join(' and ');
  const one = (sent: string) => `with sent as materialized (select * from ${sent})`;
  const get = `select sent.key, t.attributes::text as attributes from unnest($1::text[]) as sent (key)
    join ${table} t on ${keys.map((key, i) => `t.${key} = sent.key::jsonb ->> ${i}`).join(' and ')}`;
  return {
    // That all were created, as nearly always, is found out without looking for each.
    step: statement(
      ['step', 'condition', 'attributes'],
      (sent) => `${one(sent)},
        created as (${insert(`sent where sent.step = 'create'`, 'do nothing')}),
        changed as (
          update ${table} t set attributes = t.attributes || sent.attributes::jsonb
            from sent ${where} and sent.step = 'set' returning ${now})
        select null as attributes, ${place} from sent where sent.step = 'create' and (
            (select count(*) from created) = (select count(*) from sent where sent.step = 'create')
            or exists (select from created where ${created}))
        union all select * from changed`,
    ),
    put: statement(
      ['attributes'],
      (sent) => `${one(sent)},
        created as (${insert('sent', `(${keys.join(', ')}) do update set attributes = excluded.attributes`)})
        select ${place} from sent join created on ${created}`,
    ),
    replace: change(['attributes'], 'sent.attributes::jsonb', place),
    update: change(['set', 'removed', 'added'], UPDATED, now),
    remove: statement(['condition'], (sent) => `delete from ${table} t using ${sent} ${where} returning ${now}`),
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
