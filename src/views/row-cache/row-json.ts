import type { Row, Value } from '../../record/value.ts';

/** Makes a row's JSON text, always with the same columns in the same order. */
export function jsonOf(columns: readonly string[]): (row: Row) => string {
  const starts = columns.map((column, i) => `${i === 0 ? '{' : ','}${JSON.stringify(column)}:`);
  // One array joined, not one text added to another: that would keep all the pieces, and be put together at every use.
  const parts: string[] = new Array(2 * columns.length + 1).fill('}');
  return (row) => {
    for (let i = 0; i < columns.length; i++) {
      parts[2 * i] = starts[i]!;
      parts[2 * i + 1] = valueText(row[columns[i]!]);
    }
    return parts.join('');
  };
}

/** What JSON has no form for goes as text: integers beyond 2^53, bytes (base64), and numbers that are none. */
function valueText(value: Value): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`;
    case 'bigint':
      return `"${value}"`;
    case 'object':
      return value === null ? 'null' : `"${Buffer.from(value).toString('base64')}"`;
    default:
      return JSON.stringify(value);
  }
}
