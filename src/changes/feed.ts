import type { Row } from '../record/value.ts';
import type { Change, Transaction } from './change.ts';
import type { Snapshot as VisibleTransactions } from './visibility.ts';

/** What the feed was asked to follow: a table and the columns that are wanted of it (all where none are named). */
export interface Source {
  /** `schema.name` */
  readonly table: string;
  readonly columns?: readonly string[];
}

/** Why views must be built anew from a snapshot rather than carried on. */
export type RebuildReason =
  | 'first start'
  | 'slot lost' // the slot is gone, invalidated, or was temporary and its connection ended
  | 'wal limit' // the follower kept more WAL than it may
  | 'epoch changed' // another system, timeline, or a restore
  | 'schema changed' // DDL that changes data without events
  | 'store lost' // the views' store lacks something that was in it
  | 'gap' // a transaction does not follow on the one before
  | 'requested';

/** Ends a feed for good: whoever holds it builds anew. Every other error is worth a reconnect. */
export class RebuildNeeded extends Error {
  readonly reason: RebuildReason;
  constructor(reason: RebuildReason, detail: string) {
    super(`${reason}: ${detail}`);
    this.name = 'RebuildNeeded';
    this.reason = reason;
  }
}

/** Receives the stream. Every method is called synchronously, in commit order, and must not throw. */
export interface FeedHandler {
  /** A whole transaction of at most `maxTransactionChanges` changes; possibly none (nothing it wrote is published). */
  transaction(transaction: Transaction): void;
  /**
   * A transaction too large to hold: `largeBegin`, then its changes in slices as they arrive (each slice in a turn of the
   * event loop of its own), then `largeEnd` with the same transaction's position and no changes. What has begun is
   * committed; it stays unfinished only if the connection ends, and then it is delivered again from its beginning.
   * `commitLsn` is the start of its commit record (pgoutput's Begin: "final LSN"), so it lies before the end LSN by which
   * `largeEnd` knows it, and at or after the end LSN of every transaction before it. Where `largeEnd` gives a promise (never
   * rejected), nothing is delivered until it is fulfilled.
   */
  largeBegin(xid: number, commitLsn: number): void;
  largeSlice(changes: readonly Change[]): void;
  largeEnd(transaction: Transaction): void | Promise<void>;
  /** Everything up to `lsn` has been delivered (a keepalive, outside a transaction). */
  progress(lsn: number): void;
  /** DDL on a followed table was seen in the log (event trigger, transactional message), in commit order. */
  schemaChanged(detail: string): void;
  /** The stream ended: RebuildNeeded, or an error worth a reconnect. Nothing is called after it. Not called on `close()`. */
  ended(error: Error): void;
}

/** A consistent snapshot of the record at exactly `FeedSession.start`. */
export interface Snapshot {
  /** What had committed before it: the stream brings everything else, whenever other statements come to see it. */
  readonly visible: VisibleTransactions;
  /** The rows of one table, in blocks, decoded exactly as the stream decodes them. Returns their number. */
  read(source: Source, onRows: (rows: readonly Row[]) => void | Promise<void>): Promise<number>;
  /** The planner's estimate of a table's rows, for progress. */
  estimate(table: string): Promise<number>;
  /** Ends the snapshot's transaction. */
  close(): Promise<void>;
}

/** One use of a replication slot: a snapshot where the slot is new, then the stream from there. */
export interface FeedSession {
  readonly slot: { readonly name: string; readonly temporary: boolean };
  readonly epoch: string;
  /** Apply what ends after this LSN: the new slot's consistent point, or where the caller resumes. */
  readonly start: number;
  /** Only with a new slot. Valid until `stream` is called. */
  readonly snapshot?: Snapshot;
  /** Starts delivering. `from` is the last LSN already applied; nothing at or before it is delivered again. */
  stream(from: number, handler: FeedHandler): Promise<void>;
  /** Everything up to `lsn` is applied: sent to the server on a timer, and only this. */
  acknowledge(lsn: number): void;
  /** Nothing is delivered from here on until `resume`; the connection is kept. For a consumer that is full. */
  pause(): void;
  resume(): void;
  /** Asks the server for a keepalive, which answers with `progress` (about 0.4 ms). */
  poke(): void;
  /**
   * When the server last said anything on the stream, be it in the middle of a transaction or about tables that nobody follows here
   * (`performance.now()`); now while nothing is to be delivered.
   */
  readonly heardAt: number;
  /** WAL in bytes the slot keeps back, as last measured. */
  readonly retainedBytes: number;
  close(): Promise<void>;
}
