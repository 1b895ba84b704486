import type { Row } from '../record/value.ts';

/** A table as the change feed knows it, at the time of the change. One object for all changes until the table changes. */
export interface Table {
  readonly oid: number;
  /** `schema.name` */
  readonly name: string;
  readonly columns: readonly Column[];
  /** From the catalogue, not from the log: REPLICA IDENTITY FULL flags every column as key there (CORRECTNESS 6). */
  readonly key: readonly string[];
  /** Whether `before` carries the whole old row (REPLICA IDENTITY FULL). */
  readonly full: boolean;
}

export interface Column {
  readonly name: string;
  /** Type oid. */
  readonly type: number;
}

/**
 * One row changed by a committed transaction.
 * - insert: `after` is the new row.
 * - update: `after` is the new row; a large value that was left untouched is filled from `before` where that is known and
 *   otherwise `undefined`. `before` is the old row (REPLICA IDENTITY FULL), the old key when the key changed, or null.
 * - delete: `before` is the old row or at least its key.
 * - truncate: neither; the table is empty from here on.
 */
export type Change =
  | { readonly op: 'insert'; readonly table: Table; readonly before: null; readonly after: Row }
  | { readonly op: 'update'; readonly table: Table; readonly before: Row | null; readonly after: Row }
  | { readonly op: 'delete'; readonly table: Table; readonly before: Row; readonly after: null }
  | { readonly op: 'truncate'; readonly table: Table; readonly before: null; readonly after: null };

/** A committed transaction, whole. */
export interface Transaction {
  /** 32-bit transaction id, as pgoutput's Begin gives it. */
  readonly xid: number;
  /** End LSN of the commit record. */
  readonly lsn: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly committedAt: number;
  readonly changes: readonly Change[];
}
