import { ReadCoalescer } from './coalesce/reads.ts';
import { WriteCoalescer } from './coalesce/writes.ts';
import { byKey, Connections, plannedEachTime, send } from './connections.ts';
import { copyIn } from './copy.ts';
import { ConnectionLost, RecordUnavailable } from './failures.ts';
import { setIndexesAside } from './indexes-after.ts';
import type { Log } from './log.ts';
import { prepared } from './prepared.ts';
import type {
  CoalescedRead,
  CoalescedWrite,
  CopyOptions,
  PgRecord,
  RecordTransaction,
  TransactionOptions,
  Written,
} from './record.ts';
import { OpenTransaction, runTransaction } from './transaction.ts';
import type { Row } from './value.ts';

export interface RecordOptions {
  readonly url: string;
  /** Direct, where `url` leads through a pooler; `url` unless told. */
  readonly replicationUrl?: string;
  readonly log: Log;
  /** Connections for transactions and single reads; 10 unless told. Coalesced statements have four of their own, those that are planned each time four more, and those that go by key four more. */
  readonly poolSize?: number;
  /** Connections nobody used for so long (milliseconds) are closed; 60,000 unless told. */
  readonly idleMs?: number;
}

/** Of the coalesced statements of all kinds: short ones only, which must not wait behind long transactions. */
const COALESCED_CONNECTIONS = 4;

/** Opens the record and proves that it answers. Throws `RecordUnavailable`, or PostgreSQL's error (a wrong password, say). */
export async function openRecord(options: RecordOptions): Promise<PgRecord> {
  const record = new PooledRecord(options);
  try {
    await record.query('select');
  } catch (error) {
    await record.close();
    throw error;
  }
  return record;
}

class PooledRecord implements PgRecord {
  readonly url: string;
  readonly replicationUrl: string;
  readonly #connections: Connections;
  readonly #coalesced: Connections;
  /** Of those that are planned each time. */
  readonly #planned: Connections;
  /** Of those that find rows by their key. */
  readonly #byKey: Connections;
  readonly #flushedLsn: ReadCoalescer<null, number>;

  constructor({ url, replicationUrl, log, poolSize = 10, idleMs = 60_000 }: RecordOptions) {
    this.url = url;
    this.replicationUrl = replicationUrl ?? url;
    this.#connections = new Connections({ url, log, idleMs, size: poolSize });
    this.#coalesced = new Connections({ url, log, idleMs, size: COALESCED_CONNECTIONS });
    this.#planned = new Connections({ url: plannedEachTime(url), log, idleMs, size: COALESCED_CONNECTIONS });
    this.#byKey = new Connections({ url: byKey(url), log, idleMs, size: COALESCED_CONNECTIONS });
    this.#flushedLsn = new ReadCoalescer({ connections: this.#coalesced, read: FLUSHED_LSN });
  }

  async query<R extends object = Row>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    try {
      return (await this.#connections.use((client) => send<R>(client, { text: sql, values: [...parameters] }))).rows;
    } catch (error) {
      throw error instanceof ConnectionLost ? new RecordUnavailable(error) : error;
    }
  }

  transaction<T>(work: (tx: RecordTransaction) => Promise<T>, options?: TransactionOptions): Promise<Written<T>> {
    return runTransaction(this.#connections, work, options);
  }

  coalesceWrites<Input, Output>(write: CoalescedWrite<Input, Output>): (input: Input) => Promise<Written<Output>> {
    const connections = write.planEachTime ? this.#planned : write.byKey ? this.#byKey : this.#coalesced;
    const coalescer = new WriteCoalescer({ connections, write });
    return (input) => coalescer.add(input);
  }

  coalesceReads<Key, Output>(read: CoalescedRead<Key, Output>): (key: Key) => Promise<Output> {
    const coalescer = new ReadCoalescer({ connections: read.planEachTime ? this.#planned : this.#coalesced, read });
    return (key) => coalescer.get(key);
  }

  prepare(sql: string): (parameters: readonly unknown[]) => Promise<Row[]> {
    return prepared(this.#coalesced, sql);
  }

  flushedLsn(): Promise<number> {
    return this.#flushedLsn.get(null);
  }

  async copyIn(
    tx: RecordTransaction,
    table: string,
    columns: readonly string[],
    chunks: AsyncIterable<Uint8Array | string>,
    options?: CopyOptions,
  ): Promise<number> {
    if (!(tx instanceof OpenTransaction)) throw new TypeError('copyIn needs the transaction that `transaction` gave');
    const remake = options?.indexesAfter && (await setIndexesAside(tx, table));
    const rows = await copyIn(tx, table, columns, chunks, options);
    if (remake) await remake();
    return rows;
  }

  async close(): Promise<void> {
    const all = [this.#connections, this.#coalesced, this.#planned, this.#byKey];
    await Promise.all(all.map((connections) => connections.close()));
  }
}

const FLUSHED_LSN: CoalescedRead<null, number> = {
  sql: `select key, (pg_current_wal_flush_lsn() - '0/0')::text as lsn from unnest($1::integer[]) as key`,
  keyType: 'integer',
  keyOf: () => 0,
  decode: (rows) => Number(rows[0]!.lsn),
};
