import type { Change } from '../change.ts';

/** A table as the log describes it, sent before the first change that needs it and again after it was altered. */
export interface Relation {
  readonly oid: number;
  /** `schema.name` */
  readonly name: string;
  /** `d` default, `f` full, `i` index, `n` nothing. Of no use for a partitioned table, where the partitions' own counts. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  /** Part of the replica identity: an old *key* carries it. */
  readonly identity: boolean;
}

/** A row's change is a `Change` itself; everything else says what it is by `op` too. */
export type Message =
  | Exclude<Change, { op: 'truncate' }>
  | { readonly op: 'truncates'; readonly changes: readonly Change[] }
  | Begin
  | Commit
  | { readonly op: 'relation'; readonly relation: Relation }
  | LogicalMessage;

export interface Begin {
  readonly op: 'begin';
  /** Start of the commit record: not a position, restarting here delivers the transaction again (CORRECTNESS 1). */
  readonly commitLsn: number;
  readonly xid: number;
}

export interface Commit {
  readonly op: 'commit';
  readonly commitLsn: number;
  /** End of the commit record: the transaction's position. */
  readonly endLsn: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly committedAt: number;
}

/** From `pg_logical_emit_message`. */
export interface LogicalMessage {
  readonly op: 'message';
  readonly transactional: boolean;
  readonly prefix: string;
  readonly content: string;
}
