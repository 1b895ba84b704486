import type { Change } from '../changes/change.ts';
import type { Source } from '../changes/feed.ts';
import type { Commit } from '../changes/visibility.ts';
import type { RecordReader } from '../record/record.ts';
import type { Row } from '../record/value.ts';
import type { LazySource } from './lazy.ts';
import type { StoredKind } from './stored.ts';

declare const result: unique symbol;

/** A question to a view, as data; carries the type of its answer. Kinds export functions that make them (`top`, `rankOf`). */
export interface ViewQuery<Result> {
  /** Never set: it only ties the question to the type of its answer. */
  readonly [result]?: Result;
}

/** The answers to a list of questions, each with its own type. */
export type ResultsOf<Queries extends readonly ViewQuery<unknown>[]> = {
  -readonly [I in keyof Queries]: Queries[I] extends ViewQuery<infer Result> ? Result : never;
};

/**
 * A view: a fast structure derived from changes. `Query` is the kind's own; a read is a list of queries answered at one
 * position. The definition is immutable; `build()` makes the state that is loaded, kept in step and read.
 */
export interface ViewDefinition<Query extends ViewQuery<unknown> = ViewQuery<unknown>> {
  /** The kind's name: `leaderboard`, `row-cache`, ... */
  readonly kind: string;
  readonly sources: readonly Source[];
  /** A new, empty state in process memory. */
  build(): MemoryView<Query>;
  /** The same answers from the record, where the state cannot give them. One consistent snapshot: `reader` is inside one. */
  answerFromRecord(reader: RecordReader, queries: readonly Query[]): Promise<unknown[]>;
  /** Set where the state holds only what was asked for: `build` then makes a `LazyView`, and no table is loaded into it. */
  readonly lazy?: LazySource<Query>;
  /** How the view lives in Valkey or Redis; a view without it lives in process memory only. */
  readonly stored?: StoredKind<Query>;
}

/**
 * A view's state in memory. Synchronous throughout: one call sees one position. `apply` is a pure function of the state
 * and the changes (CORRECTNESS 7): no clock, no randomness, no I/O, so that streamed equals rebuilt.
 */
export interface MemoryView<Query extends ViewQuery<unknown> = ViewQuery<unknown>> {
  /** Rows of `table` from a snapshot, in any order, while building. */
  load(table: string, rows: readonly Row[]): void;
  /** All rows are loaded: sort, index, count. May hand the turn back in between (`await`), nothing reads or applies meanwhile. */
  loaded(): Promise<void>;
  /** Changes of the view's tables, in order: one transaction's, or a slice of a large one. Must not throw on any valid change. */
  apply(changes: readonly Change[], commit: Commit): void;
  /**
   * As `apply`, of a slice of a large transaction. Nothing is asked, compared or expired until `merge` is done, so what costs less for
   * all changes together may be put off until then.
   */
  applySlice?(changes: readonly Change[], commit: Commit): void;
  /** All slices of a large transaction are applied: does what was put off, if anything. Nothing else is called before it is done. */
  merge?(): Iterator<void> | undefined;
  /** The answer, or undefined when this state does not hold it (a dropped window): then the record answers. */
  answer(query: Query): unknown;
  /**
   * Lets go of what the declaration says to let go of (old windows). `now` in microseconds. Called about once a minute, and
   * best before `loaded` too: what would be let go of at once is then not built first.
   */
  expire?(now: number): void;
  stats(): ViewStats;
  /**
   * Where this state differs from `other`, which was built anew and stands at the same position. Yields once per block of
   * at most a few thousand comparisons (undefined, or the drift found in it), and between two yields both states may be
   * given further, identical changes.
   */
  compare(other: MemoryView<Query>): Iterable<Drift | undefined>;
}

export interface ViewStats {
  /** Rows, entries or whatever the kind counts. */
  readonly entries: number;
  /** Memory of the structure in bytes, as near as the kind can say. */
  readonly bytes: number;
  /** Of a view that is filled on demand. */
  readonly cache?: CacheStats;
  /**
   * What rows it cannot hold as they are, and why, in words for the operator. It holds all others, and while there is one it
   * gives no answers: the record does.
   */
  readonly unheld?: string | undefined;
}

/** Since the state was built. */
export interface CacheStats {
  /** Rows asked for that were held. */
  readonly hits: number;
  /** Rows asked for that were not. */
  readonly misses: number;
  /** Rows let go of for want of room. */
  readonly evictions: number;
  /** Rows let go of because their time to live was over. */
  readonly expirations: number;
  /** Statements sent to the record for rows that were asked for. */
  readonly statements?: number;
  /** Rows read from the record that could not be kept: a change was applied that the reading did not see yet. */
  readonly refusals: number;
  /** Bytes the rows may take. */
  readonly maxBytes: number;
  /** What makes room: `lru`. */
  readonly eviction: string;
  readonly ttlMs: number;
}

/** One difference found by `verify`. */
export interface Drift {
  /** What differs, as a person would name it: `game 17`, `players daily 2026-11-20 rank 3`. */
  readonly what: string;
  readonly inView: string;
  readonly inRecord: string;
}
