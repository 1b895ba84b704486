import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from '../changes/change.ts';
import { formatSnapshot } from '../changes/visibility.ts';
import type { PgRecord } from '../record/record.ts';
import type { Key, LazySource, RowsRead } from '../views/lazy.ts';
import type { BucketOperation, Fill, StoredLazy } from '../views/stored.ts';
import type { ViewQuery } from '../views/view.ts';
import { PositionTimeout } from './errors.ts';
import { KeyedReads } from './keyed-reads.ts';
import type { Answer } from './live.ts';
import { RecentRows } from './recent-rows.ts';
import type { Watermark } from './watermark.ts';

type Query = ViewQuery<unknown>;

/** How long a read tries for a snapshot that is new enough (CORRECTNESS 11). */
const SETTLE_MS = 1000;
/** The same where transactions must end that are older than what the buckets remember: then the record answers. */
const FLOOR_MS = 20;
/** Uses told of at once, and gathered at most. */
const USES = 1000;

/** The store, as far as rows come in by it beside the order of positions. */
export interface AmendableStore {
  /**
   * Runs each operation in its bucket, in one call a bucket, and hands back what it returned. Undefined in the place of an
   * operation whose bucket is not there, torn, of another generation or epoch than the one served, or before `position`.
   */
  amend(operations: readonly BucketOperation[], position: number): Promise<readonly unknown[]>;
}

export interface StoredLazyReadsOptions {
  readonly source: LazySource<Query>;
  readonly stored: StoredLazy<Query>;
  readonly store: AmendableStore;
  readonly record: PgRecord;
  readonly watermark: Watermark;
  /** The view's table and its key column. */
  readonly table: string;
  /** Longest wait for the store to come up to what was read. */
  readonly waitMs: number;
}

/**
 * Reads rows of the record for a view that is filled on demand and lives in a store, on any node. One reading of a key at a time,
 * all readings of a turn in one statement. What was read is offered to its bucket when the bucket has applied all that the reading
 * can have seen; the bucket takes it unless it has applied a change that the reading did not see.
 */
export class StoredLazyReads {
  readonly #options: StoredLazyReadsOptions;
  readonly #reads: KeyedReads;
  readonly #underWay = new Map<Key, Promise<void>>();
  readonly #recent: RecentRows;
  #used = new Set<Key>();
  /** Rows read that could not be kept: a change was applied that the reading did not see yet. */
  refusals = 0;

  constructor(options: StoredLazyReadsOptions) {
    const { record, source, table } = options;
    this.#options = options;
    this.#reads = new KeyedReads({ record, sql: source.sql, id: source.id });
    this.#recent = new RecentRows({ table, id: source.id });
  }

  get statements(): number {
    return this.#reads.statements;
  }

  /**
   * Has the buckets hold the keys, as far as there is room. Who asked then reads them from the store. Throws `PositionTimeout`
   * where that takes too long, or cannot be: then the record answers.
   */
  async fill(keys: readonly Key[]): Promise<void> {
    const waits = new Set<Promise<void>>();
    const others = keys.filter((key) => {
      const reading = this.#underWay.get(key);
      if (reading) waits.add(reading);
      return !reading;
    });
    if (others.length > 0) waits.add(this.#start(others));
    await Promise.all(waits);
  }

  /** Write-through: holds rows as their changes left them, where this node has seen those pass, and reads the others. */
  async hold(keys: readonly Key[]): Promise<void> {
    const { stored, store, watermark } = this.#options;
    const known = this.#recent.of(keys);
    const offers = stored.keep(known);
    const replies = offers.length > 0 ? await store.amend(offers, watermark.position.lsn) : [];
    const kept = new Set(known.map(({ key }) => key));
    for (const key of offers.flatMap((offer, i) => refusedOf(offer, replies[i]))) kept.delete(key);
    const others = keys.filter((key) => !kept.has(key));
    if (others.length > 0) await this.fill(others);
  }

  /** A transaction is applied in the store: its rows may be asked to be held. */
  applied(transaction: Pick<Transaction, 'xid' | 'changes'>): void {
    this.#recent.note(transaction);
  }

  /** Changes were applied that this node was not told of one by one. */
  forget(): void {
    this.#recent.clear();
  }

  /** These were found in the store: told of now and then, so that others make room. */
  used(keys: readonly Key[]): void {
    for (const key of keys) this.#used.add(key);
    if (this.#used.size >= USES) this.tend();
  }

  /** For a timer: about once a second. */
  tend(): void {
    const used = [...this.#used];
    this.#used = new Set();
    if (used.length === 0) return;
    const { stored, store, watermark } = this.#options;
    store.amend(stored.use(used), watermark.position.lsn).catch(() => {}); // only which rows make room first
  }

  /** Answers from the record alone, as new as the store is, and not before the store is as new as the answer. */
  async readThrough(queries: readonly Query[]): Promise<Answer<unknown[]>> {
    const { source, watermark, waitMs } = this.#options;
    const keys = queries.flatMap((query) => source.keysOf(query));
    for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline; await sleep(1)) {
      const mark = watermark.mark();
      const { seen, rows } = await this.#reads.read(keys);
      if (!watermark.visibleIn(formatSnapshot(seen.snapshot), mark)) continue;
      // So that who reads this and then from the store does not go back in time.
      if (seen.flushed > watermark.position.lsn) await watermark.passed(seen.flushed, waitMs);
      const results = queries.map((query) => source.answerFrom(query, rows));
      return { results, position: mark.position, source: 'record' };
    }
    throw new PositionTimeout();
  }

  #start(keys: readonly Key[]): Promise<void> {
    const reading = this.#read(keys).finally(() => {
      for (const key of keys) this.#underWay.delete(key);
    });
    for (const key of keys) this.#underWay.set(key, reading);
    return reading;
  }

  /** Reads until every row is as new as its bucket. */
  async #read(keys: readonly Key[]): Promise<void> {
    const start = performance.now();
    for (let left = keys; ; await sleep(1)) {
      const since = this.#options.watermark.position.lsn;
      const read = await this.#reads.read(left);
      const refused = await this.#offer(left, read, since);
      left = refused.keys;
      this.refusals += left.length;
      if (left.length === 0) return;
      if (performance.now() > start + (refused.waitsForOthers ? FLOOR_MS : SETTLE_MS)) throw new PositionTimeout();
    }
  }

  async #offer(keys: readonly Key[], read: RowsRead, since: number): Promise<Refused> {
    const { stored, store, watermark, waitMs } = this.#options;
    const { flushed } = read.seen;
    if (flushed > watermark.position.lsn && !(await watermark.passed(flushed, waitMs))) throw new PositionTimeout();
    const offers = stored.fill(keys, read, since);
    const replies = await store.amend(offers, flushed);
    if (replies.includes(undefined)) throw new PositionTimeout();
    await this.#found(offers.filter((offer, i) => offer.refused(replies[i]) === 'unfounded'));
    const waitsForOthers = offers.some((offer, i) => offer.refused(replies[i]) === 'floor');
    return { keys: offers.flatMap((offer, i) => refusedOf(offer, replies[i])), waitsForOthers };
  }

  /** Tells new buckets of a transaction id given out by now. */
  async #found(offers: readonly Fill[]): Promise<void> {
    if (offers.length === 0) return;
    const { stored, store, record } = this.#options;
    const [now] = await record.query<{ xid: string }>('select pg_catalog.pg_current_xact_id()::text as xid');
    const xid = Number(BigInt(now!.xid) & 0xffff_ffffn);
    const buckets = [...new Set(offers.map(({ bucket }) => bucket))];
    await store.amend(
      buckets.map((bucket) => stored.found(bucket, xid)),
      0,
    );
  }
}

interface Refused {
  readonly keys: readonly Key[];
  /** For transactions that are open for long. */
  readonly waitsForOthers: boolean;
}

/** The keys of an offer that were not taken. */
function refusedOf(offer: Fill, reply: unknown): readonly Key[] {
  if (reply === undefined) return offer.keys;
  const refused = offer.refused(reply);
  return typeof refused === 'string' ? offer.keys : refused;
}
