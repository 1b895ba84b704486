import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from '../changes/change.ts';
import type { Position } from '../changes/position.ts';
import { formatSnapshot } from '../changes/visibility.ts';
import type { PgRecord } from '../record/record.ts';
import type { Key, LazySource, RowsRead } from '../views/lazy.ts';
import type { BucketOperation, Fill, StoredKind, StoredLazy, StoredRead } from '../views/stored.ts';
import type { CacheStats, ViewDefinition, ViewQuery } from '../views/view.ts';
import { PositionTimeout } from './errors.ts';
import { KeyedReads } from './keyed-reads.ts';
import type { Answer } from './live.ts';
import { RecentRows } from './recent-rows.ts';
import type { Watermark } from './watermark.ts';

type Query = ViewQuery<unknown>;

/** How long a read tries for a snapshot that is new enough (CORRECTNESS 11). */
const SETTLE_MS = 1000;
/**
 * The same where transactions must end that are older than what the buckets remember: then the record answers. Who comes soon
 * after such a wait was in vain does not wait.
 */
const FLOOR_MS = 100;
const IN_VAIN_MS = 1000;
/** Tries to hold all rows of one read at once. */
const FILLS = 3;
/** Uses told of at once, and gathered at most. */
const USES = 1000;

/** A view's part of the store, as any node asks it. */
export interface LazyStore {
  /**
   * The replies to questions to the buckets, all of the epoch of `at` and not before it, and the least of their positions;
   * undefined where that cannot be had.
   */
  ask(reads: readonly StoredRead[], at: Position): Promise<{ replies: readonly unknown[]; lsn: number } | undefined>;
  /**
   * Runs each operation in its bucket, and hands back what it returned. Undefined in the place of an operation whose bucket is
   * not there, torn, of another generation or epoch than the one served, or before `at`.
   */
  amend(operations: readonly BucketOperation[], at: Position): Promise<readonly unknown[]>;
}

export interface StoredLazyReadsOptions {
  /** Of a view that is filled on demand and has a stored kind. */
  readonly definition: ViewDefinition<never>;
  readonly store: LazyStore;
  readonly record: PgRecord;
  readonly watermark: Watermark;
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
  readonly #source: LazySource<Query>;
  readonly #kind: StoredKind<Query>;
  readonly #stored: StoredLazy<Query>;
  readonly #reads: KeyedReads;
  readonly #underWay = new Map<Key, Promise<void>>();
  readonly #recent: RecentRows;
  #used = new Set<Key>();
  #hits = 0;
  #misses = 0;
  #refusals = 0;
  /** When a wait for older transactions was last given up. */
  #inVainAt = Number.NEGATIVE_INFINITY;
  #held = { bytes: 0, evictions: 0, expirations: 0 };

  constructor(options: StoredLazyReadsOptions) {
    const { record, definition } = options;
    this.#options = options;
    this.#source = definition.lazy as unknown as LazySource<Query>;
    this.#kind = definition.stored as unknown as StoredKind<Query>;
    this.#stored = this.#kind.lazy!;
    this.#reads = new KeyedReads({ record, sql: this.#source.sql, id: this.#source.id });
    this.#recent = new RecentRows({ table: definition.sources[0]!.table, id: this.#source.id });
  }

  /** What this node has seen of the cache; what it holds, as of a moment ago. */
  get stats(): { readonly bytes: number; readonly cache: CacheStats } {
    const { bytes, ...held } = this.#held;
    const seen = {
      hits: this.#hits,
      misses: this.#misses,
      refusals: this.#refusals,
      statements: this.#reads.statements,
    };
    return { bytes, cache: { ...seen, ...held, ...this.#stored.limits } };
  }

  /**
   * The answers at one position, not before `at`; rows that are not held are brought first. Undefined where the store cannot
   * give them: then `readThrough`, or the record answers.
   */
  async read(queries: readonly Query[], at: Position): Promise<{ results: unknown[]; lsn: number } | undefined> {
    for (let tries = 0, from = at; tries <= FILLS; tries++, from = this.#options.watermark.position) {
      const asked = await this.#ask(queries, from);
      if (!asked) return undefined;
      const { results, missing, lsn } = asked;
      if (tries === 0) this.#count(queries, missing);
      if (missing.length === 0) return { results, lsn };
      await this.fill(missing);
    }
    return undefined; // there is no room for all of them at once
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
  async hold(queries: readonly Query[]): Promise<void> {
    const { store, watermark } = this.#options;
    const keys = this.#keysOf(queries);
    const known = this.#recent.of(keys);
    const offers = this.#stored.keep(known);
    const replies = offers.length > 0 ? await store.amend(offers, watermark.position) : [];
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

  /** Tells the store which rows were used, so that others make room. For a timer: about once a second. */
  tend(): void {
    void this.#measure();
    const used = [...this.#used];
    this.#used = new Set();
    if (used.length === 0) return;
    const { store, watermark } = this.#options;
    store.amend(this.#stored.use(used), watermark.position).catch(() => {}); // only which rows make room first
  }

  /** Answers from the record alone, as new as the store is, and not before the store is as new as the answer. */
  async readThrough(queries: readonly Query[]): Promise<Answer<unknown[]>> {
    const { watermark, waitMs } = this.#options;
    const keys = this.#keysOf(queries);
    for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline; await sleep(1)) {
      const mark = watermark.mark();
      const { seen, rows } = await this.#reads.read(keys);
      if (!watermark.visibleIn(formatSnapshot(seen.snapshot), mark)) continue;
      // So that who reads this and then from the store does not go back in time.
      if (seen.flushed > watermark.position.lsn) await watermark.passed(seen.flushed, waitMs);
      const results = queries.map((query) => this.#source.answerFrom(query, rows));
      return { results, position: mark.position, source: 'record' };
    }
    throw new PositionTimeout();
  }

  async #measure(): Promise<void> {
    const { store, watermark } = this.#options;
    const reads = Array.from({ length: this.#kind.buckets }, (_, bucket) => this.#stored.stats(bucket));
    const asked = await store.ask(reads, watermark.position).catch(() => undefined);
    if (asked) this.#held = this.#stored.held(asked.replies);
  }

  async #ask(queries: readonly Query[], at: Position) {
    const reads = queries.map((query) => this.#kind.read(query));
    const asked = await this.#options.store.ask(reads.flat(), at);
    if (!asked) return undefined;
    const missing = new Set<Key>();
    const all = [...asked.replies];
    const results = queries.map((query, i) => {
      const replies = all.splice(0, reads[i]!.length);
      for (const key of this.#stored.missing(query, replies)) missing.add(key);
      return this.#kind.answer(query, replies);
    });
    return { results, missing: [...missing], lsn: asked.lsn };
  }

  #count(queries: readonly Query[], missing: readonly Key[]): void {
    const keys = this.#keysOf(queries);
    for (const key of keys) this.#used.add(key);
    if (this.#used.size >= USES) this.tend();
    this.#misses += missing.length;
    this.#hits += keys.length - missing.length;
  }

  #keysOf(queries: readonly Query[]): readonly Key[] {
    return queries.length === 1
      ? this.#source.keysOf(queries[0]!)
      : queries.flatMap((query) => this.#source.keysOf(query));
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
    const deadline = performance.now() + SETTLE_MS;
    let floorDeadline = Number.POSITIVE_INFINITY;
    for (let left = keys; ; await sleep(1)) {
      const since = this.#options.watermark.position;
      const read = await this.#reads.read(left);
      const refused = await this.#offer(left, read, since);
      left = refused.keys;
      this.#refusals += left.length;
      if (left.length === 0) return;
      floorDeadline = refused.waitsForOthers
        ? Math.min(floorDeadline, this.#floorDeadline())
        : Number.POSITIVE_INFINITY;
      if (performance.now() < Math.min(deadline, floorDeadline)) continue;
      if (refused.waitsForOthers) this.#inVainAt = performance.now();
      throw new PositionTimeout();
    }
  }

  #floorDeadline(): number {
    const now = performance.now();
    return now - this.#inVainAt < IN_VAIN_MS ? now : now + FLOOR_MS;
  }

  async #offer(keys: readonly Key[], read: RowsRead, since: Position): Promise<Refused> {
    const { store, watermark, waitMs } = this.#options;
    const { flushed } = read.seen;
    if (flushed > watermark.position.lsn && !(await watermark.passed(flushed, waitMs))) throw new PositionTimeout();
    const offers = this.#stored.fill(keys, read, since.lsn);
    const replies = await store.amend(offers, { epoch: since.epoch, lsn: flushed });
    if (replies.includes(undefined)) throw new PositionTimeout();
    await this.#found(offers, replies);
    const waitsForOthers = offers.some((offer, i) => offer.refused(replies[i]) === 'floor');
    return { keys: offers.flatMap((offer, i) => refusedOf(offer, replies[i])), waitsForOthers };
  }

  /** Tells new buckets of a transaction id given out by now. */
  async #found(offers: readonly Fill[], replies: readonly unknown[]): Promise<void> {
    const unfounded = offers.map((_, i) => i).filter((i) => offers[i]!.refused(replies[i]) === 'unfounded');
    if (unfounded.length === 0) return;
    const { store, record, watermark } = this.#options;
    const [now] = await record.query<{ xid: string }>('select pg_catalog.pg_current_xact_id()::text as xid');
    const xid = Number(BigInt(now!.xid) & 0xffff_ffffn);
    await store.amend(
      unfounded.map((i) => this.#stored.found(offers[i]!, replies[i], xid)),
      watermark.position,
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
