import type { Row, Value } from './value.ts';

/** Reads with SQL. Values come as `Value` says. Every parameter is bound, never pasted. */
export interface RecordReader {
  query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
}

/** A transaction: what it wrote is the record's only when `transaction` has returned. */
export interface RecordTransaction extends RecordReader {
  /** Plain `query` in a transaction; named apart so that a reader cannot be mistaken for it. */
  readonly inTransaction: true;
}

/** What a write hands back for waiting until its views show it. Opaque: only `live` looks inside. */
export interface Receipt {
  /** The full 64-bit transaction id, or null when nothing was written. */
  readonly xid: bigint | null;
}

export interface Written<T> {
  readonly value: T;
  readonly receipt: Receipt;
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
}

/**
 * Many concurrent single-row writes of one kind as one multi-row statement: what arrives while a flush is in flight goes
 * into the next one; no timer. A bad row fails alone.
 */
export interface CoalescedWrite<Input, Output> {
  /**
   * One statement for many rows: `$1 ... $n` are arrays, one for each of `columns`. Returns exactly one row an input, in
   * the inputs' order (`unnest(...) with ordinality`, `order by ordinality`, `returning`), unless there is `missing`.
   */
  readonly sql: string;
  /** Element types of the arrays: `['text', 'integer']`. */
  readonly columns: readonly string[];
  encode(input: Input): readonly unknown[];
  decode(row: Row, input: Input): Output;
  /**
   * What an input is given for which the statement returned no row. The rows then come in any order, each with its input's place
   * among them (from 1) in a column `lockstep_place`.
   */
  readonly missing?: Output;
  /** Inputs of one key never share a statement (two `+1` of one row in one UPDATE are one `+1`: CORRECTNESS 17). Rows are sorted by it. */
  key?(input: Input): string;
  /** Whether sending the input again can do no harm (it carries an idempotency key): only then it is retried after an unknown outcome. */
  retriable?(input: Input): boolean;
  /** Rows in one statement; 1000 unless told. */
  readonly maxRows?: number;
  /** Plan each batch anew: for a statement that joins a table which grows, since a plan made while it was small reads all of it. */
  readonly planEachTime?: boolean;
  /** Plan it once, and never read a whole table: for a statement that finds rows by their key, one by one. */
  readonly byKey?: boolean;
  /** Inputs that may wait; one more is refused with `RecordBusy`. 100,000 unless told. */
  readonly maxQueued?: number;
}

/** Many concurrent reads by key as one statement. */
export interface CoalescedRead<Key, Output> {
  /** `$1` is the array of distinct keys; each row says which key it is for in a column named `key`. */
  readonly sql: string;
  /** Element type of the array. */
  readonly keyType: string;
  /** All rows of one key, in the statement's order. */
  decode(rows: readonly Row[]): Output;
  keyOf(key: Key): Value;
  readonly maxKeys?: number;
  /** As `CoalescedWrite`'s. */
  readonly planEachTime?: boolean;
}

export interface CopyOptions {
  /** `text` unless told. In `csv` an empty value is empty text where the column takes text, and missing elsewhere. */
  readonly format?: 'text' | 'csv';
  /** With `csv`: the columns that take text. */
  readonly texts?: readonly string[];
  /** For many rows: an empty table that nobody uses at the moment gets its indexes when they are in, and is locked until then. */
  readonly indexesAfter?: boolean;
}

/** The durable truth: PostgreSQL, embedded or anywhere. */
export interface PgRecord extends RecordReader {
  /** For SQL clients. Holds the password: show it only redacted. */
  readonly url: string;
  /** For replication connections: direct, never through a pooler (CORRECTNESS 16). */
  readonly replicationUrl: string;
  transaction<T>(work: (tx: RecordTransaction) => Promise<T>, options?: TransactionOptions): Promise<Written<T>>;
  coalesceWrites<Input, Output>(write: CoalescedWrite<Input, Output>): (input: Input) => Promise<Written<Output>>;
  coalesceReads<Key, Output>(read: CoalescedRead<Key, Output>): (key: Key) => Promise<Output>;
  /**
   * A short read that each connection prepares once; sent at once, beside the coalesced statements, and again when the
   * connection was lost. For who coalesces by other rules than `coalesceReads`.
   */
  prepare(sql: string): (parameters: readonly unknown[]) => Promise<Row[]>;
  /** The end of the flushed log now, on the primary (`pg_current_wal_flush_lsn`). */
  flushedLsn(): Promise<number>;
  /**
   * Loads rows from a stream of `COPY ... FROM STDIN` text inside `tx`, all or nothing. `chunks` yields COPY text format, or
   * CSV where told. Returns the number of rows.
   */
  copyIn(
    tx: RecordTransaction,
    table: string,
    columns: readonly string[],
    chunks: AsyncIterable<Uint8Array | string>,
    options?: CopyOptions,
  ): Promise<number>;
  close(): Promise<void>;
}
