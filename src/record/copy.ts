import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { nameLoss } from './failures.ts';
import type { CopyOptions } from './record.ts';
import type { OpenTransaction } from './transaction.ts';

/** `COPY table (columns) FROM STDIN`. Returns the number of rows. A failing `chunks` fails the COPY. */
export function copyIn(
  tx: OpenTransaction,
  table: string,
  columns: readonly string[],
  chunks: AsyncIterable<Uint8Array | string>,
  { format = 'text', texts = [] }: CopyOptions = {},
): Promise<number> {
  const names = (columns: readonly string[]) => columns.map(quoteIdentifier).join(', ');
  const forced = texts.length > 0 ? `, force_not_null (${names(texts)})` : '';
  const sql = `copy ${quoteTable(table)} (${names(columns)}) from stdin with (format ${format}${forced})`;
  return tx.run(async () => {
    const target = tx.client.query(from(sql));
    const source = new Source(chunks);
    try {
      await pipeline(Readable.from(source, { objectMode: true, highWaterMark: 4 }), target);
    } catch (error) {
      throw source.error ?? nameLoss(error);
    }
    return target.rowCount;
  });
}

/** Remembers whether it was the caller's chunks that failed. */
class Source implements AsyncIterable<Uint8Array | string> {
  error: unknown;
  readonly #chunks: AsyncIterable<Uint8Array | string>;
  constructor(chunks: AsyncIterable<Uint8Array | string>) {
    this.#chunks = chunks;
  }
  async *[Symbol.asyncIterator]() {
    try {
      yield* this.#chunks;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

/** `schema.name`, each part quoted. */
export function quoteTable(table: string): string {
  return table.split('.').map(quoteIdentifier).join('.');
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
