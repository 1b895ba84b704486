import type { Row, Value } from '../../record/value.ts';

/** Makes a row's JSON text, always with the same columns in the same order. */
export function jsonOf(columns: readonly string[]): (row: Row) => string {
  const starts = columns.map((column, i) => `${i === 0 ? '{' : ','}${JSON.stringify(column)}:`);
  return (row) => {
    let text = '';
    for (let i = 0; i < columns.length; i++) text += starts[i] + valueText(row[columns[i]!]);
    return `${text}}`;
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
