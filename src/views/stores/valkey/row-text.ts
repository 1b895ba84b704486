import type { Row, Value } from '../../../record/value.ts';

/**
 * A row as the server keeps it: the values of the columns in their order, one a line, each as `valueText` writes it. A line is
 * empty where the log did not carry the value; scripts fill it with what they hold.
 */
export function rowText(row: Row, columns: readonly string[]): string {
  return columns.map((column) => valueText(row[column])).join('\n');
}

/** The row of a text; undefined where a value of it is not known. */
export function rowFrom(text: string, columns: readonly string[]): Row | undefined {
  const lines = text.split('\n');
  const row: Record<string, Value> = {};
  for (let i = 0; i < columns.length; i++) {
    if (lines[i] === '') return undefined;
    row[columns[i]!] = valueFrom(lines[i]!);
  }
  return row;
}

/**
 * A value in one line, its type kept: as JSON; an integer that JSON's readers would round ends with `n`; bytes follow
 * `base64:`; other numbers that JSON lacks are as JavaScript writes them. Equal texts are equal values.
 */
export function valueText(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : `base64:${Buffer.from(value).toString('base64')}`;
    default:
      return JSON.stringify(value);
  }
}

/** The inverse of `valueText`. */
export function valueFrom(text: string): Value {
  if (text === '') return undefined;
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (text.startsWith('base64:')) return new Uint8Array(Buffer.from(text.slice(7), 'base64'));
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
}
