import type { Change } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { MemoryView, ViewQuery } from './view.ts';

/** An argument of a script: text, a number written as text, or bytes. */
export type Argument = string | Buffer;

/** One step of a bucket's state: the name of a function of the kind's script (`applies.<name>`) and its arguments. */
export type Operation = readonly [name: string, ...args: Argument[]];

/** An operation and the bucket it belongs to, from 0. */
export interface BucketOperation {
  readonly bucket: number;
  readonly operation: Operation;
}

/** A question to one bucket: a function of the kind's script (`reads.<name>`), its arguments, and what its reply means. */
export interface StoredRead {
  readonly bucket: number;
  readonly name: string;
  readonly args: readonly Argument[];
}

/**
 * How a kind lives in Valkey or Redis: its changes as operations of the server, its queries as reads. Pure, without I/O: the
 * store around it fences, pipelines, stamps positions and looks for gaps (CORRECTNESS 5).
 *
 * A view has a fixed number of buckets, each in one hash slot: what is in one bucket changes together and is read together, at
 * one position. All its keys begin with `lockstep:{<service>/<view>:<bucket>}:`; the script names them by `key('rows')`.
 */
export interface StoredKind<Query extends ViewQuery<unknown> = ViewQuery<unknown>> {
  /** 1 where answers span the whole view (boards that one row is on), more where keys are independent (cached rows). */
  readonly buckets: number;
  /**
   * Lua that fills two tables: `applies.<name>(arg...)` changes the bucket's keys and is idempotent: the same operations once
   * more, from any earlier point on, lead to the same state; `reads.<name>(arg...)` answers and changes nothing
   * (`reads.entries()` must be there: the number of entries in the bucket). `key(name)`
   * gives the full name of one of the bucket's keys. The state never depends on a clock or on chance.
   */
  readonly script: string;
  /** Rows of a snapshot while building, in any order. */
  load(table: string, rows: readonly Row[]): Iterable<BucketOperation>;
  /** Everything is loaded: what is to be done once at the end, in each bucket. */
  loaded?(): readonly Operation[];
  /** Changes of the view's tables, in order. Must not throw on any valid change. A TRUNCATE goes to every bucket. */
  changes(changes: readonly Change[], commit: { readonly xid: number }): Iterable<BucketOperation>;
  /** Lets go of what the declaration says to let go of; `now` in microseconds. For each bucket. */
  expire?(now: number): readonly Operation[];
  /** What to ask; several where the keys of one query lie in several buckets. */
  read(query: Query): readonly StoredRead[];
  /** The answer from the replies, in the order of `read`'s; equal in shape and types to the memory state's. Undefined where the state does not hold it. */
  answer(query: Query, replies: readonly unknown[]): unknown;
  /**
   * Questions that together tell everything the view holds, asked by `verify` of the store and of `twin`, a state in memory built
   * anew at the same position. Together with the number of entries they find every difference.
   */
  audit(twin: MemoryView<Query>): Iterable<ViewQuery<unknown>>;
}
