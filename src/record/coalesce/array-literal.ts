/**
 * Values as the text of a PostgreSQL array (manual 8.15.2), the way a whole column of a batch is bound as one parameter.
 * Numbers, bigints and booleans as they are, bytes as hex, null and undefined as NULL, everything else as its string.
 */
export function arrayLiteral(values: readonly unknown[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    text += element(values[i]);
  }
  return `${text}}`;
}

function element(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'string':
      return quoted(value);
    default:
      if (value === null || value === undefined) return 'NULL';
      if (value instanceof Uint8Array) return `"\\\\x${Buffer.from(value).toString('hex')}"`;
      throw new TypeError(
        `a coalesced statement cannot bind ${Object.prototype.toString.call(value)}: give it as text`,
      );
  }
}

const SPECIAL = /["\\]/;

function quoted(value: string): string {
  return SPECIAL.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
}
