import { ClientError, type PgRecord, type Written } from '../../src/index.ts';
import { FIELDS, found, INTEGER, MAX_TEXT } from './hero.ts';

const COLUMNS = ['id', ...FIELDS];
const HEADER = COLUMNS.join();
const TEXTS = FIELDS.filter((field) => field !== 'xp');
/** More than a line of six such fields can have. */
const MAX_FIRST_LINE = 4096;
/** A line, its end as PostgreSQL knows it (LF, CR or both), and something after that, so that no half of an end is left. */
const FIRST_LINE = /^([^\r\n]*)(?:\r\n|\r(?!\n)|\n)(?=[\s\S])/;
const PAGE = 20_000;

export interface ImportOptions {
  readonly record: PgRecord;
  /** The file's bytes: `id,hero,power,name,xp,color`, with that line first or without. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes read so far. */
  readonly progress?: (bytes: number) => void;
}

/**
 * Loads heroes in bulk through COPY, in one transaction, all or nothing, and returns their number. Throws 400 for the line that
 * PostgreSQL refuses first: those it cannot read before those whose id is taken, which it looks at a thousand lines at a time.
 */
export async function importHeroes({ record, chunks, progress }: ImportOptions): Promise<Written<number>> {
  const file = new CsvFile(chunks, progress);
  try {
    return await record.transaction((tx) =>
      record.copyIn(tx, 'heroes.heroes', COLUMNS, file.rows(), { format: 'csv', texts: TEXTS }),
    );
  } catch (error) {
    throw badLine(error, file.headerLines) ?? error;
  }
}

/** A file as COPY takes it: without the header, read once. */
class CsvFile {
  headerLines = 0;
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #progress: (bytes: number) => void;
  #begun = false;

  constructor(chunks: AsyncIterable<Uint8Array>, progress: (bytes: number) => void = () => {}) {
    this.#chunks = chunks;
    this.#progress = progress;
  }

  async *rows(): AsyncGenerator<Uint8Array> {
    // The transaction was undone, by a lost connection say, and begins anew: what was read is gone.
    if (this.#begun) throw new ClientError(503, 'The import was interrupted; nothing is stored. Send the file again.');
    this.#begun = true;
    let bytes = 0;
    let first: Uint8Array | null = new Uint8Array();
    for await (const chunk of this.#chunks) {
      bytes += chunk.length;
      this.#progress(bytes);
      if (first) {
        first = Buffer.concat([first, chunk]);
        if (first.length < MAX_FIRST_LINE && !FIRST_LINE.test(latin1(first))) continue;
        yield this.#withoutHeader(first);
        first = null;
      } else yield chunk;
    }
    if (first) yield this.#withoutHeader(first);
  }

  #withoutHeader(start: Uint8Array): Uint8Array {
    const bytes = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? start.subarray(3) : start;
    const text = latin1(bytes.subarray(0, MAX_FIRST_LINE));
    const [whole, line] = FIRST_LINE.exec(text) ?? [text, text];
    if (line!.replace(/["\s]/g, '').toLowerCase() !== HEADER) return bytes;
    this.headerLines = 1;
    return bytes.subarray(whole!.length);
  }
}

/** A character a byte. */
function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** What PostgreSQL says of a line, by SQLSTATE; for the client. */
const REASONS: Readonly<Record<string, (field: Field) => string>> = {
  '22P02': ({ column, value }) => `${column} must be a whole number, found ${value}`,
  '22003': ({ column, value }) => `${column} must be from ${INTEGER.min} to ${INTEGER.max}, found ${value}`,
  '22001': ({ column, value }) => `${column} must be at most ${MAX_TEXT} characters, found ${value}`,
  '22021': () => 'the text is not UTF-8, or has a character U+0000',
  '23502': ({ error }) => `${error.column} is missing`,
  '23505': ({ error }) => `there is a hero with the id ${/\)=\((.*?)\)/.exec(error.detail ?? '')?.[1]} already`,
  '22P04': ({ error }) => `expected ${HEADER}: ${error.message}`,
};

interface SqlError extends Error {
  readonly code?: string;
  readonly where?: string;
  readonly column?: string;
  readonly detail?: string;
}

interface Field {
  readonly column: string;
  readonly value: string;
  readonly error: SqlError;
}

/** `COPY heroes, line 7, column xp: "ten"`, in a client's words. */
function badLine(thrown: unknown, headerLines: number): ClientError | undefined {
  const error = thrown as SqlError;
  const place = /^COPY \w+, line (\d+)(?:, column (\w+))?(?:: "(.*)")?/.exec(error.where ?? '');
  const reason = REASONS[error.code ?? ''];
  if (!place || !reason) return undefined;
  const [, line, column = '', value = ''] = place;
  const text = reason({ column, value: found(value), error });
  return new ClientError(400, `line ${Number(line) + headerLines}: ${text}. Nothing was stored.`);
}

/** All heroes as CSV with a header, in the order of their ids, as of one moment, in blocks. */
export async function exportHeroes(record: PgRecord, write: (block: string) => Promise<void>): Promise<number> {
  const { value } = await record.transaction(
    async (tx) => {
      await write(`${HEADER}\n`);
      let count = 0;
      for (let after: number | null = INTEGER.min - 1; after !== null; ) {
        const rows: Record<string, string | number>[] = await tx.query(
          `select ${HEADER} from heroes.heroes where id > $1::bigint order by id limit ${PAGE}`,
          [after],
        );
        if (rows.length > 0) await write(rows.map(lineOf).join(''));
        count += rows.length;
        after = rows.length < PAGE ? null : (rows.at(-1)!.id as number);
      }
      return count;
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  return value;
}

function lineOf(row: Readonly<Record<string, string | number>>): string {
  return `${COLUMNS.map((column) => csvField(row[column]!)).join()}\n`;
}

/** Quoted where CSV needs it (RFC 4180), and where COPY would take it for something else (`\\.`). */
function csvField(value: string | number): string {
  if (typeof value === 'number') return String(value);
  return /["\\,\r\n]|^$|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
