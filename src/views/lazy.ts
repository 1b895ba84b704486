import { type Commit, parseSnapshot, type Snapshot } from '../changes/visibility.ts';
import { ClientError } from '../record/errors.ts';
import type { Row, Value } from '../record/value.ts';
import type { MemoryView, ViewQuery } from './view.ts';

/** What a row is found by. */
export type Key = number | bigint | string;

/** What a reading of the record saw. */
export interface Seen {
  readonly snapshot: Snapshot;
  /** The end of the flushed log after the snapshot was taken: what is visible is at or before it, but for asynchronous commits. */
  readonly flushed: number;
  /** The end of the whole log then: what ends after it is not in the snapshot. */
  readonly end: number;
}

/** Rows as one SQL statement saw them; null where there is none. */
export interface RowsRead {
  readonly seen: Seen;
  readonly rows: ReadonlyMap<Key, Row | null>;
}

/** Whether what was seen has a commit in it: the lease of a fill. Replaced in tests only, to see them fail. */
export interface Lease {
  includes(seen: Seen, commit: Commit): boolean;
  /** The same of every commit whose transaction id is not after this one's. */
  includesAllTo(seen: Seen, commit: Commit): boolean;
}

/** What a reading must see. */
export interface Expectation {
  isMetBy(seen: Seen): boolean;
}

/** How a view that is filled on demand gets at its rows. */
export interface LazySource<Query extends ViewQuery<unknown>> {
  /**
   * Reads many rows at once: `$1` is an array of keys, each of them once, or none. A row for each key, which is in the column
   * `lockstep_key`, the column `id` NULL where there is no row; what was seen in the first one, as `seenColumn` makes it.
   */
  readonly sql: string;
  /** The column that is the key. */
  readonly id: string;
  keysOf(query: Query): readonly Key[];
  /** The answer to a query whose rows were read. */
  answerFrom(query: Query, rows: ReadonlyMap<Key, Row | null>): unknown;
  /** A state that is loaded with the rows that `served` holds now, to be compared with it. */
  beside(served: MemoryView<Query>): MemoryView<Query>;
}

/**
 * A state that holds some of the rows, each exactly as it is at the position of the state. Synchronous and without I/O: who
 * reads the record for it brings `arrived` what was read.
 *
 * A reading is `begun`, then `arrived`, then `settled` once the state has applied everything the reading saw; changes applied
 * meanwhile count if the reading did not see them, and are passed over if it did. So what is settled is the row as of the
 * state's position, whichever came first.
 */
export interface LazyView<Query extends ViewQuery<unknown>> extends MemoryView<Query> {
  /**
   * What committed before the state began, and will not be brought by the stream: readings must see it, which statements may not
   * do yet (CORRECTNESS 11). Called before anything else.
   */
  begins(before: Snapshot): void;
  /** As `answer`, but not counted as a hit, nor as use. */
  peek(query: Query): unknown;
  /** The keys that are not held; counts the hits and misses. */
  missing(keys: readonly Key[]): Key[];
  /** The same, without counting. */
  absent(keys: readonly Key[]): Key[];
  /** These are about to be read: from now on changes are noted. Each is read once at a time. */
  begin(keys: readonly Key[]): void;
  /** Takes what was read; returns the keys whose row the reading is too old for, to be read again. */
  arrived(keys: readonly Key[], read: RowsRead): Key[];
  /** Everything that the reading saw is applied: its rows are held from now on. */
  settle(keys: readonly Key[]): void;
  /** The reading of these is given up. */
  abandon(keys: readonly Key[]): void;
  /** What a reading of these that begins now must see to be as new as the state. */
  expect(keys: readonly Key[]): Expectation;
  /**
   * Holds those of the keys whose row was changed just now, as it is at the state's position; returns the others that are not
   * held. (Of a row that was read with an asynchronous commit in it, and let go of since, that may be the version before.)
   */
  keep(keys: readonly Key[]): Key[];
  /** Commits that readings may not see yet, and that are remembered therefore. */
  readonly unsettled: number;
  /** A reading saw this: commits that are in it need no longer be remembered. */
  forget(seen: Seen): void;
}

/** A column of the first row of a statement: what it sees. `place` is the column that numbers the rows from 1. */
export function seenColumn(place: string): string {
  const log = (end: string) => `(pg_catalog.${end}() - '0/0')::text`;
  const snapshot = 'pg_catalog.pg_current_snapshot()::text';
  const parts = [snapshot, log('pg_current_wal_flush_lsn'), log('pg_current_wal_insert_lsn')];
  return `case when coalesce(${place}, 1) = 1 then ${parts.join(` || ' ' || `)} end as lockstep_seen`;
}

/** Keys as the text of a PostgreSQL array. */
export function arrayOf(keys: Iterable<Key>): string {
  const elements = [...keys].map((key) => (typeof key === 'string' ? `"${key.replace(/["\\]/g, '\\$&')}"` : key));
  return `{${elements.join()}}`;
}

/**
 * The rows of a `LazySource`'s statement by their keys. Throws 400 for a key that was asked for in another form than the record's
 * own (a UUID in capitals): changes come by the record's form, and would pass by a row that is held by another.
 */
export function rowsByKey(found: readonly Row[], id: string, asked: Iterable<Key>): Map<Key, Row | null> {
  const rows = new Map<Key, Row | null>();
  for (const row of found) {
    if (row.lockstep_key === null) continue;
    const there = row[id] !== null;
    rows.set(keyFrom(there ? row[id] : row.lockstep_key), there ? row : null);
  }
  for (const key of asked) {
    if (!rows.has(key))
      throw new ClientError(400, `${String(key)} is not how the record writes this key; ask as it was given to you.`);
  }
  return rows;
}

/** What a `LazySource`'s statement saw. */
export function seenBy([first]: readonly Row[]): Seen {
  const [snapshot, flushed, end] = (first!.lockstep_seen as string).split(' ');
  return { snapshot: parseSnapshot(snapshot!), flushed: Number(flushed), end: Number(end) };
}

/** A key as it is found by: a column's value. */
export function keyFrom(value: Value): Key {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') return value;
  throw new TypeError(`a row is found by a number or text, not by ${value}`);
}
