/**
 * A column's value as Lockstep hands it out, the same whether it came from SQL, a snapshot or the change feed:
 *
 * | PostgreSQL type                  | value                                                                      |
 * |----------------------------------|----------------------------------------------------------------------------|
 * | smallint, integer, oid, real, double precision | number                                                       |
 * | bigint                           | number while exact (|v| <= 2^53 - 1), otherwise bigint                     |
 * | boolean                          | boolean                                                                    |
 * | timestamptz, timestamp (as UTC)  | microseconds since 1970-01-01 UTC, as number (exact until the year 2255)   |
 * | bytea                            | Uint8Array                                                                 |
 * | everything else (numeric, text, uuid, date, json, arrays, enums, ...) | the type's text, as string            |
 *
 * NULL is `null`. In a change, a large value the UPDATE left untouched and the log does not carry is `undefined`.
 */
export type Value = string | number | bigint | boolean | Uint8Array | null | undefined;

/** One row: column name to value. */
export type Row = Readonly<Record<string, Value>>;

/** Whether the record can keep a text as it is: PostgreSQL's holds no U+0000, and UTF-8 no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
