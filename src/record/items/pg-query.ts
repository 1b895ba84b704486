import { quoteTable } from '../copy.ts';
import type { RecordReader } from '../record.ts';
import { isStorable } from '../value.ts';
import { decodeAttributes, type Item, ItemInvalid } from './item.ts';
import type { ItemPage, ItemQuery, ItemTableDefinition, SortRange } from './item-table.ts';
import { attributeSql, keyColumns } from './pg-statements.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** One page of a query, in one statement. */
export async function queryPage(
  reader: RecordReader,
  definition: ItemTableDefinition,
  query: ItemQuery,
): Promise<ItemPage> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new ItemInvalid(`limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const { sql, parameters, order } = compose(definition, query, limit + 1);
  const rows = await reader.query<Record<string, string>>(sql, parameters);
  const items = rows.slice(0, limit).map((row) => itemOf(definition, row));
  if (rows.length <= limit) return { items };
  const last = items.at(-1)!;
  return {
    items,
    cursor: cursorOf(
      query,
      order.map((name) => last[name] as string),
    ),
  };
}

export function itemOf(definition: ItemTableDefinition, row: Readonly<Record<string, unknown>>): Item {
  const key = keyColumns(definition).map((name) => [name, row[name] as string]);
  return { ...Object.fromEntries(key), ...decodeAttributes(row.attributes as string) };
}

function compose(definition: ItemTableDefinition, query: ItemQuery, rows: number) {
  const keys = keyColumns(definition);
  const index = query.index === undefined ? definition : definition.indexes?.[query.index];
  if (!index) throw new TypeError(`${definition.name} has no index ${query.index}`);
  const order = [...new Set([...(index.sort === undefined ? [] : [index.sort]), ...keys])].filter(
    (name) => name !== index.partition,
  );
  const parameters: string[] = [];
  const bind = (value: string) => `$${parameters.push(value)}`;
  const column = (name: string) => attributeSql(definition, name);
  const conditions = [
    `${column(index.partition)} = ${bind(query.partition)}`,
    ...(index.sort === undefined ? [] : rangeSql(column(index.sort), query.sort ?? {}, bind)),
  ];
  if (index.sort !== undefined && index !== definition) conditions.push(`${column(index.sort)} is not null`);
  if (query.cursor !== undefined) {
    const after = readCursor(query, order.length).map(bind);
    if (order.length > 0)
      conditions.push(`(${order.map(column).join(', ')}) ${query.descending ? '<' : '>'} (${after.join(', ')})`);
  }
  const direction = query.descending ? 'desc' : 'asc';
  const sorted = order.map((name) => `${column(name)} ${direction}`).join(', ');
  const sql = `select ${keys.map(column).join(', ')}, attributes::text as attributes from ${quoteTable(definition.name)}
    where ${conditions.join(' and ')} ${sorted ? `order by ${sorted}` : ''} limit ${rows}`;
  return { sql, parameters, order };
}

function rangeSql(column: string, range: SortRange, bind: (value: string) => string): string[] {
  if (!('beginsWith' in range)) {
    const { from, to } = range;
    return [
      ...(from === undefined ? [] : [`${column} >= ${bind(from)}`]),
      ...(to === undefined ? [] : [`${column} <= ${bind(to)}`]),
    ];
  }
  const end = afterPrefix(range.beginsWith);
  return [`${column} >= ${bind(range.beginsWith)}`, ...(end === undefined ? [] : [`${column} < ${bind(end)}`])];
}

/** The least text, by UTF-8 bytes, above all that begin with `prefix`; undefined where there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  while (points.length > 0) {
    const point = points.pop()!.codePointAt(0)!;
    if (point === 0x10ffff) continue;
    const next = point === 0xd7ff ? 0xe000 : point + 1;
    return points.join('') + String.fromCodePoint(next);
  }
  return undefined;
}

/** Says of which query it is, so that one of another query is refused. */
function cursorOf({ index = '', partition }: ItemQuery, values: readonly string[]): string {
  return Buffer.from(JSON.stringify([index, partition, ...values])).toString('base64url');
}

function readCursor({ index = '', partition, cursor }: ItemQuery, length: number): string[] {
  const parts = parsed(Buffer.from(cursor!, 'base64url').toString());
  const valid =
    Array.isArray(parts) &&
    parts.length === length + 2 &&
    parts.every((part) => typeof part === 'string' && isStorable(part)) &&
    parts[0] === index &&
    parts[1] === partition;
  if (!valid) throw new ItemInvalid('This cursor is none of this query: send the one that the page before gave.');
  return parts.slice(2);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
