import type { Transaction } from '../changes/change.ts';
import type { RebuildReason } from '../changes/feed.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import { ClientError } from '../record/errors.ts';
import { isBadValue } from '../record/failures.ts';
import type { PgRecord } from '../record/record.ts';
import type { MemoryView, ResultsOf, ViewDefinition, ViewQuery, ViewStats } from '../views/view.ts';
import { PositionOfAnotherEpoch, PositionTimeout, ViewUnavailable } from './errors.ts';
import type { Generation } from './generation.ts';
import { LazyReads, type LazyState } from './lazy-reads.ts';
import type { Answer, Progress, ReadOptions, VerifyReport, ViewHandle, ViewState, ViewStatus } from './live.ts';
import { readFromRecord } from './record-read.ts';
import { StoredReads, type StoredSide, type StoreReader } from './stored/reads.ts';
import type { Watermark } from './watermark.ts';

export interface ServedViewOptions {
  readonly service: string;
  readonly name: string;
  readonly definition: ViewDefinition<never>;
  readonly record: PgRecord;
  readonly watermark: Watermark;
  /** Longest wait for a client's position. */
  readonly waitMs: number;
  /** Set where the view lives outside of the process. */
  readonly stored?: StoredSide;
  recordEnd(): number;
  rebuild(view: ServedView, progress?: Progress): Promise<void>;
  verify(view: ServedView, progress?: Progress): Promise<VerifyReport>;
}

/** Tries to hold all rows of one read at once. */
const FILLS = 3;

/** A view as services read it: from its state in one turn while that is in step, otherwise from the record. */
export class ServedView implements ViewHandle {
  readonly name: string;
  readonly definition: ViewDefinition<never>;
  readonly #options: ServedViewOptions;
  #generation: Generation | null = null;
  /** False from a schema change, a lost slot or a lost connection until the next state takes over. */
  #inStep = false;
  #versionBase = 0;
  #builds = 0;
  #fault: string | null = null;
  #busy = false;
  /** The log told of DDL that may have changed rows without saying so: not answered from until that is known. */
  doubted = false;
  progress: ViewStatus['progress'] = null;

  readonly #lazyReads: LazyReads | null;
  /** Set where the view lives outside of the process. */
  readonly #stored: StoredReads | null;

  constructor(options: ServedViewOptions) {
    const { record, watermark, waitMs, definition } = options;
    this.#options = options;
    this.#stored = options.stored
      ? new StoredReads({ side: options.stored, definition, record, watermark, waitMs })
      : null;
    this.#lazyReads =
      definition.lazy && !options.stored
        ? new LazyReads({
            source: definition.lazy as never,
            record,
            watermark,
            waitMs,
            current: () => this.#lazyState(),
          })
        : null;
    this.name = `${options.service}/${options.name}`;
    this.definition = options.definition;
  }

  get generation(): Generation | null {
    return this.#generation;
  }

  get version(): number {
    if (this.#stored) return this.#versionBase;
    return this.#versionBase + (this.#generation?.version ?? 0);
  }

  get state(): ViewState {
    if (this.fault) return 'broken';
    if (!this.#isFed) return 'building';
    return this.#generation?.torn || this.doubted ? 'catching up' : 'live';
  }

  /** Why it is answered from the record: until it can be built, or as long as there is a row that it cannot hold. */
  get fault(): string | null {
    return this.#buildFault ?? this.unheld ?? null;
  }

  get #buildFault(): string | null {
    return this.ownFault ?? this.#stored?.side.fault() ?? null;
  }

  /** Rows that it cannot hold (`ViewStats.unheld`); null while that is not known. */
  get unheld(): string | null | undefined {
    const stats = this.#stats;
    return stats ? stats.unheld : null;
  }

  get #stats(): ViewStats | null {
    const source = this.#stored ?? this.#generation?.state;
    return this.#isFed && source ? source.stats() : null;
  }

  /** Of a view outside of the process. */
  get reader(): StoreReader | null {
    return this.#stored?.side.reader ?? null;
  }

  /** What this process found; not what the leader told. */
  get ownFault(): string | null {
    return this.#fault ?? this.#generation?.fault?.message ?? null;
  }

  /** Of a view outside of the process: this process has found it whole, or made it so. */
  built(): void {
    this.#fault = null;
    this.progress = null;
  }

  /** Of a view outside of the process: this process does not lead any more, and knows nothing of it. */
  released(): void {
    this.built();
    this.doubted = false;
  }

  /** Of a view outside of the process: it was built anew beside what was served. */
  rebuilt(): void {
    this.built();
    this.#builds++;
    this.#versionBase++;
  }

  /** Of a view outside of the process: a transaction that touches it is in the store. */
  applied(transaction: Transaction): void {
    this.#versionBase++;
    this.#stored?.applied(transaction);
  }

  /** Of a view outside of the process: changes were applied that this node was not told of. */
  missed(): void {
    this.#versionBase++;
    this.#stored?.missed();
  }

  get #isFed(): boolean {
    return this.#stored ? this.#stored.side.inStep() : this.#inStep;
  }

  /** Serves a new state from now on; it stands at the watermark. */
  switchTo(generation: Generation): void {
    this.#versionBase = this.version + 1 - generation.version;
    this.#generation = generation;
    this.#inStep = true;
    this.#fault = null;
    this.#builds++;
    this.progress = null;
  }

  /** The state is no longer fed: reads go to the record until the next one takes over. */
  detach(reason: RebuildReason): void {
    this.#fault = null;
    this.#inStep = false;
    this.doubted = false;
    this.#versionBase = this.version + 1;
    this.#generation = null;
    this.progress = { rows: 0, of: 0, reason };
  }

  /** The view cannot be built; reads go to the record. */
  broken(error: Error): void {
    this.#fault = error.message;
    this.#inStep = false;
    this.progress = null;
  }

  readNow<const Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    minPosition?: Position,
  ): Answer<ResultsOf<Queries>> | undefined {
    if (minPosition && !this.#options.watermark.hasReached(minPosition)) return undefined;
    if (this.#stored) return queries.length === 0 && this.#servesStored ? this.#answerHere([]) : undefined;
    const state = this.#readable();
    if (!state) return undefined;
    const results: unknown[] = [];
    for (const query of queries) {
      const result = state.answer(query as never);
      if (result === undefined) return undefined;
      results.push(result);
    }
    return this.#answerHere(results);
  }

  #answerHere<Results extends unknown[]>(results: unknown[]): Answer<Results> {
    return { results: results as Results, position: this.#options.watermark.position, source: 'view' };
  }

  #readable(): MemoryView<never> | null {
    const generation = this.#generation;
    if (!this.#inStep || this.doubted || !generation || generation.torn || generation.fault) return null;
    return generation.state;
  }

  async read<const Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    options: ReadOptions = {},
  ): Promise<Answer<ResultsOf<Queries>>> {
    if (options.minPosition && !(await this.#reached(options.minPosition))) return this.#readRecord(queries, options);
    if (this.#stored) return (await this.#readStored(queries, options)) ?? this.#readRecord(queries, options);
    const fromView = options.from === 'record' ? undefined : this.readNow(queries);
    return fromView ?? (await this.#readLazily(queries, options.from)) ?? (await this.#readRecord(queries, options));
  }

  /** Of a view outside of the process: whether it may be answered from. */
  get #servesStored(): boolean {
    return this.#isFed && !this.doubted && !this.#buildFault;
  }

  async #readStored<Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    options: ReadOptions,
  ): Promise<Answer<ResultsOf<Queries>> | undefined> {
    if (!this.#servesStored) return undefined;
    return (await this.#stored!.read(queries, options)) as Answer<ResultsOf<Queries>> | undefined;
  }

  async hold(queries: readonly ViewQuery<unknown>[]): Promise<void> {
    if (this.#stored) return this.#stored.hold(queries);
    const { lazy } = this.definition;
    const state = this.#lazyState();
    if (!lazy || !state) return;
    const missing = state.keep(queries.flatMap((query) => lazy.keysOf(query as never)));
    // What cannot be held now is read when it is asked for.
    if (missing.length > 0) await this.#lazyReads!.fill(state, missing).catch(() => {});
  }

  /** What is to be done now and then. */
  tend(now: number): void {
    this.#stored?.tend();
    if (!this.#generation?.torn) this.#generation?.state.expire?.(now);
    const lazy = this.#lazyState();
    if (lazy) this.#lazyReads!.tend(lazy).catch(() => {}); // the record is away
  }

  #lazyState(): LazyState | null {
    return this.#lazyReads ? (this.#readable() as unknown as LazyState | null) : null;
  }

  /** Reads what a view that is filled on demand lacks; undefined where it cannot be answered so. */
  async #readLazily<Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    from: ReadOptions['from'],
  ): Promise<Answer<ResultsOf<Queries>> | undefined> {
    const state = this.#lazyState();
    if (!state) return undefined;
    try {
      const answer = from === 'record' ? this.#lazyReads!.readThrough(state, queries) : this.#fill(state, queries);
      return (await answer) as Answer<ResultsOf<Queries>> | undefined;
    } catch (error) {
      if (error instanceof ClientError && !(error instanceof PositionTimeout)) throw error;
      return undefined;
    }
  }

  /** Rows are held when they have come, unless there is no room for all that is asked for at once. */
  async #fill(state: LazyState, queries: readonly ViewQuery<unknown>[]): Promise<Answer<unknown[]> | undefined> {
    const { keysOf } = this.definition.lazy!;
    const keys = queries.flatMap((query) => keysOf(query as never));
    for (let tries = 0, missing = state.missing(keys); tries < FILLS; tries++) {
      await this.#lazyReads!.fill(state, missing);
      if (this.#lazyState() !== state) return undefined;
      const results = queries.map((query) => state.peek(query));
      if (!results.includes(undefined)) return { results, position: this.#options.watermark.position, source: 'view' };
      missing = state.absent(keys);
    }
    return this.#lazyReads!.readThrough(state, queries);
  }

  status(): ViewStatus {
    const { watermark, service, name, definition } = this.#options;
    const served = this.#stats;
    const { unheld, ...stats }: ViewStats = served ?? { entries: 0, bytes: 0 };
    return {
      service,
      name,
      kind: definition.kind,
      state: this.state,
      position: served ? formatPosition(watermark.position) : null,
      lagBytes: served ? Math.max(0, this.#options.recordEnd() - watermark.position.lsn) : this.#options.recordEnd(),
      ...stats,
      ...(stats.cache && this.#lazyReads && { cache: { ...stats.cache, statements: this.#lazyReads.statements } }),
      progress: this.progress,
      rebuilds: Math.max(0, this.#builds - 1),
      fault: this.#buildFault ?? unheld ?? null,
    };
  }

  rebuild(progress?: Progress): Promise<void> {
    return this.#alone('rebuilt', () => this.#options.rebuild(this, progress));
  }

  verify(progress?: Progress): Promise<VerifyReport> {
    return this.#alone('verified', async () => {
      const report = await this.#options.verify(this, progress);
      return { ...report, fault: this.fault };
    });
  }

  /** One rebuild or verification at a time: each holds a whole second state. */
  async #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy)
      throw new ClientError(409, `The view ${this.name} is being rebuilt or verified; it can be ${what} after that.`);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** Waits while the view is fed; one that is not, or not in time, does not answer for the position: the record does. */
  async #reached(position: Position): Promise<boolean> {
    const { watermark, waitMs } = this.#options;
    if (position.epoch !== watermark.position.epoch) throw new PositionOfAnotherEpoch();
    if (!this.#isFed) return false;
    try {
      await watermark.reached(position, waitMs);
      return true;
    } catch (error) {
      if (error instanceof PositionTimeout) return false;
      throw error;
    }
  }

  async #readRecord<Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    { minPosition }: ReadOptions,
  ): Promise<Answer<ResultsOf<Queries>>> {
    const { record, watermark, waitMs, definition } = this.#options;
    try {
      const read = { record, watermark, definition, queries, ...(minPosition ? { minPosition } : {}) };
      const { results, position } = await readFromRecord(read);
      // So that who reads this and then from the view does not go back in time.
      if (this.#isFed) await watermark.passed(await record.flushedLsn(), waitMs);
      return { results: results as ResultsOf<Queries>, position, source: 'record' };
    } catch (error) {
      if (error instanceof ClientError || isBadValue(error)) throw error;
      throw new ViewUnavailable(this.name, error);
    }
  }
}
