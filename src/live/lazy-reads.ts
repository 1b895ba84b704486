import { setTimeout as sleep } from 'node:timers/promises';
import type { PgRecord } from '../record/record.ts';
import type { Key, LazySource, LazyView, RowsRead } from '../views/lazy.ts';
import type { ViewQuery } from '../views/view.ts';
import { PositionTimeout } from './errors.ts';
import { KeyedReads } from './keyed-reads.ts';
import type { Answer } from './live.ts';
import type { Watermark } from './watermark.ts';

type Query = ViewQuery<unknown>;
export type LazyState = LazyView<Query>;

/** How long a read tries for a snapshot that is new enough (CORRECTNESS 11). */
const SETTLE_MS = 1000;

export interface LazyReadsOptions {
  readonly source: LazySource<Query>;
  readonly record: PgRecord;
  readonly watermark: Watermark;
  /** The state that is fed and read now; null while there is none. */
  current(): LazyState | null;
  /** Longest wait for the stream to come up to what was read. */
  readonly waitMs: number;
}

/**
 * Reads rows for a view that is filled on demand. One reading of a key at a time, whoever asks; all readings of a turn in one
 * statement. A row is held, and the askers go on, when the state has applied everything that the reading saw: then the state
 * is the record as of its position, row by row, and an answer of rows held before and rows just read is of that one position.
 */
export class LazyReads {
  readonly #options: LazyReadsOptions;
  readonly #reads: KeyedReads;
  #state: LazyState | null = null;
  /** By key, the reading that is under way for `#state`. */
  #underWay = new Map<Key, Promise<void>>();

  constructor(options: LazyReadsOptions) {
    const { record, source } = options;
    this.#options = options;
    this.#reads = new KeyedReads({ record, sql: source.sql, id: source.id });
  }

  get statements(): number {
    return this.#reads.statements;
  }

  /** Brings the keys into the state. Resolves in the turn in which the last of them is held, or when the state was given up. */
  async fill(state: LazyState, keys: readonly Key[]): Promise<void> {
    if (state !== this.#state) {
      this.#state = state;
      this.#underWay = new Map();
    }
    const waits = new Set<Promise<void>>();
    const others = keys.filter((key) => {
      const reading = this.#underWay.get(key);
      if (reading) waits.add(reading);
      return !reading;
    });
    if (others.length > 0) waits.add(this.#start(state, others));
    await (waits.size === 1 ? [...waits][0] : Promise.all(waits));
  }

  /** Answers from the record alone, as new as the state is, and not before the state is as new as the answer. */
  async readThrough(state: LazyState, queries: readonly Query[]): Promise<Answer<unknown[]> | undefined> {
    const { source, watermark, waitMs } = this.#options;
    const keys = queries.length === 1 ? source.keysOf(queries[0]!) : queries.flatMap((query) => source.keysOf(query));
    for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline; await sleep(1)) {
      const { position } = watermark;
      const expectation = state.expect(keys);
      const { seen, rows } = await this.#reads.read(keys);
      if (!this.#isCurrent(state)) return undefined;
      if (!expectation.isMetBy(seen)) continue;
      // So that who reads this and then from the state does not go back in time.
      if (seen.flushed > watermark.position.lsn) await watermark.passed(seen.flushed, waitMs);
      return { results: queries.map((query) => source.answerFrom(query, rows)), position, source: 'record' };
    }
    throw new PositionTimeout();
  }

  /** Has the state forget what readings are sure to see by now. For a timer. */
  async tend(state: LazyState): Promise<void> {
    if (state.unsettled > 0) state.forget((await this.#reads.read([])).seen);
  }

  #start(state: LazyState, keys: readonly Key[]): Promise<void> {
    const underWay = this.#underWay;
    state.begin(keys);
    const reading = this.#read(state, keys).finally(() => {
      state.abandon(keys);
      for (const key of keys) underWay.delete(key);
    });
    for (const key of keys) underWay.set(key, reading);
    return reading;
  }

  /** Reads until every row is as new as the state. */
  async #read(state: LazyState, keys: readonly Key[]): Promise<void> {
    const deadline = performance.now() + SETTLE_MS;
    for (let left = keys; ; await sleep(1)) {
      const read = await this.#reads.read(left);
      if (!this.#isCurrent(state)) return;
      left = await this.#take(state, left, read);
      if (left.length === 0 || !this.#isCurrent(state)) return;
      if (performance.now() > deadline) throw new PositionTimeout();
    }
  }

  /** Returns the keys to read again. */
  async #take(state: LazyState, keys: readonly Key[], read: RowsRead): Promise<Key[]> {
    const { watermark, waitMs } = this.#options;
    const refused = state.arrived(keys, read);
    const { flushed } = read.seen;
    if (flushed > watermark.position.lsn && !(await watermark.passed(flushed, waitMs))) throw new PositionTimeout();
    if (this.#isCurrent(state)) state.settle(keys);
    return refused;
  }

  #isCurrent(state: LazyState): boolean {
    return this.#options.current() === state;
  }
}
