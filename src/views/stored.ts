import type { Change } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { Key, RowsRead } from './lazy.ts';
import type { CacheStats, MemoryView, ViewQuery } from './view.ts';

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
 * one position. All its keys begin with `lockstep:<database>:{<service>/<view>:<bucket>}:`; the script names them by `key('rows')`.
 */
export interface StoredKind<Query extends ViewQuery<unknown> = ViewQuery<unknown>> {
  /** 1 where answers span the whole view (boards that one row is on), more where keys are independent (cached rows). */
  readonly buckets: number;
  /**
   * Lua that fills two tables: `applies.<name>(arg...)` changes the bucket's keys and is idempotent: the same operations once
   * more, from any earlier point on, lead to the same state; `reads.<name>(arg...)` answers and changes nothing
   * (`reads.entries()` must be there: the number of entries in the bucket). `key(name)`
   * gives the full name of one of the bucket's keys. The state never depends on a clock or on chance.
   *
   * `position()` is the bucket's position, as a number: while operations are applied, the one that they come after.
   *
   * Where the script also sets `applies.finish`, it is called once, without arguments, after the last operation of each call and
   * before the position is stamped: operations may be gathered until then, and go to the server's structures together.
   */
  readonly script: string;
  /**
   * Whatever else decides what is stored, as text: a declaration with another one finds another view's data, and it is built anew.
   * The kind's name, its sources, `buckets` and `script` need not be in it.
   */
  readonly shape?: string;
  /** Whether bulk strings in replies are wanted as they are (`Buffer`), not as text. */
  readonly bytes?: boolean;
  /** Rows of a snapshot while building, in any order. */
  load(table: string, rows: readonly Row[]): Iterable<BucketOperation>;
  /** Everything is loaded: what is to be done once at the end, in each bucket. */
  loaded?(): readonly Operation[];
  /** Changes of the view's tables, in order. Must not throw on any valid change. A TRUNCATE goes to every bucket. */
  changes(changes: readonly Change[], commit: { readonly xid: number }): Iterable<BucketOperation>;
  /** Lets go of what the declaration says to let go of; `now` in microseconds. For each bucket. */
  expire?(now: number): readonly Operation[];
  /** Set where there may be rows that it cannot hold: what is asked to know of them, and what that tells, as `ViewStats.unheld`. */
  readonly unheld?: {
    readonly reads: readonly StoredRead[];
    text(replies: readonly unknown[]): string | undefined;
  };
  /** Set where the view does not hold all there is, so that the number of its entries says nothing. */
  readonly partial?: true;
  /** What to ask; several where the keys of one query lie in several buckets. */
  read(query: Query): readonly StoredRead[];
  /** The answer from the replies, in the order of `read`'s; equal in shape and types to the memory state's. Undefined where the state does not hold it. */
  answer(query: Query, replies: readonly unknown[]): unknown;
  /**
   * Questions that together tell everything the view holds, asked by `verify` of the store and of `twin`, a state in memory built
   * anew at the same position. Together with the number of entries (unless `partial`) they find every difference. Where the
   * store or the twin does not hold what is asked (undefined), there is none to be found.
   */
  audit(twin: MemoryView<Query>): Iterable<ViewQuery<unknown>>;
  /** Set where the definition is `lazy`: how rows come in that somebody asked for. */
  readonly lazy?: StoredLazy<Query>;
}

/**
 * Of a kind that is filled on demand. What was read beside the stream comes in by a third table of its script,
 * `amends.<name>(arg...)`: sent by any node at any time, outside of the order of positions, so that the script alone decides
 * whether it is taken, by what is in the bucket (CORRECTNESS 11). The store runs it only in the served generation, whole (not
 * torn), of the record's epoch, and at or after the position that the sender names, and hands back what it returned.
 */
export interface StoredLazy<Query extends ViewQuery<unknown>> {
  /** The keys that a query's replies show as not held; each once. */
  missing(query: Query, replies: readonly unknown[]): Key[];
  /**
   * Offers rows that were read; `since` is a position that was applied in the whole store before the reading began. To be sent
   * with the position `read.seen.flushed`.
   */
  fill(keys: readonly Key[], read: RowsRead, since: number): Fill[];
  /** Offers rows as changes left them: each is taken if no later change of its key is applied. */
  keep(rows: readonly Changed[]): Fill[];
  /**
   * What a new bucket wants to know before it takes anything, which it said by its `reply` to an offer: a transaction id that was
   * given out after that. Older ones may have changed rows before it began to follow, and snapshots not show it yet.
   */
  found(offer: Fill, reply: unknown, xid: number): BucketOperation;
  /** Tells that these were used, so that others make room. */
  use(keys: readonly Key[]): BucketOperation[];
  /** Asks a bucket for its keys, from a place that the page before told. */
  page(bucket: number, cursor?: string): StoredRead;
  /** The keys of a page, and where the next one begins; `next` is undefined at the end. */
  paged(reply: unknown): { readonly keys: readonly Key[]; readonly next: string | undefined };
  /** What a bucket is asked for to know what it takes. */
  stats(bucket: number): StoredRead;
  /** From all buckets' replies. */
  held(replies: readonly unknown[]): Pick<CacheStats, 'evictions' | 'expirations'> & { readonly bytes: number };
  /** As declared. */
  readonly limits: Pick<CacheStats, 'maxBytes' | 'eviction' | 'ttlMs'>;
  /** A state in memory that is loaded with the rows of these keys: `audit`'s twin. */
  twin(keys: Iterable<Key>): MemoryView<Query>;
}

/** Rows offered to one bucket. */
export interface Fill extends BucketOperation {
  readonly keys: readonly Key[];
  /**
   * From what the script returned: the keys whose row was not taken since a later change is applied; or of all of them,
   * `unfounded`: the bucket must be `found` first; `floor`: transactions are open for longer than changes are remembered.
   */
  refused(reply: unknown): readonly Key[] | 'unfounded' | 'floor';
}

/** A row after a change that the stream brought; null where it is gone. */
export interface Changed {
  readonly key: Key;
  readonly row: Row | null;
  readonly xid: number;
}
