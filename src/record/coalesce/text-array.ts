/** Bytes that one UTF-16 unit may take in UTF-8. */
const MOST = 3;
/** Above it the size is counted, not guessed. */
const GUESSED_BYTES = 1 << 20;
const HEADER = 20;
const TEXT_OID = 25;

/**
 * Texts as an array in PostgreSQL's binary form (`array_send` in arrayfuncs.c): nothing in them is quoted, or looked at for what would
 * have to be. Numbers, bigints and booleans become their texts, null and undefined NULL.
 */
export function textArray(values: readonly unknown[]): Buffer {
  const texts = values.map(textOf);
  const bytes = Buffer.allocUnsafe(HEADER + sizeOf(texts));
  bytes.writeInt32BE(texts.length === 0 ? 0 : 1, 0); // dimensions
  bytes.writeInt32BE(texts.includes(null) ? 1 : 0, 4); // whether there are NULLs
  bytes.writeInt32BE(TEXT_OID, 8);
  if (texts.length === 0) return bytes.subarray(0, 12);
  bytes.writeInt32BE(texts.length, 12);
  bytes.writeInt32BE(1, 16); // the first one's number
  let at = HEADER;
  for (const text of texts) {
    const length = text === null ? 0 : bytes.write(text, at + 4);
    bytes.writeInt32BE(text === null ? -1 : length, at);
    at += 4 + length;
  }
  return bytes.subarray(0, at);
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  if (['number', 'bigint', 'boolean'].includes(typeof value)) return String(value);
  throw new TypeError(`a coalesced statement cannot bind ${Object.prototype.toString.call(value)}: give it as text`);
}

function sizeOf(texts: readonly (string | null)[]): number {
  const most = texts.reduce((sum, text) => sum + 4 + (text?.length ?? 0) * MOST, 0);
  if (most <= GUESSED_BYTES) return most;
  return texts.reduce((sum, text) => sum + 4 + (text === null ? 0 : Buffer.byteLength(text)), 0);
}
