import type { RebuildReason } from '../changes/feed.ts';
import { formatPosition, type Position } from '../changes/position.ts';
import { ClientError } from '../record/errors.ts';
import type { PgRecord } from '../record/record.ts';
import type { ResultsOf, ViewDefinition, ViewQuery } from '../views/view.ts';
import { PositionOfAnotherEpoch, PositionTimeout, ViewUnavailable } from './errors.ts';
import type { Generation } from './generation.ts';
import type { Answer, Progress, ReadOptions, VerifyReport, ViewHandle, ViewState, ViewStatus } from './live.ts';
import { readFromRecord } from './record-read.ts';
import type { Watermark } from './watermark.ts';

export interface ServedViewOptions {
  readonly service: string;
  readonly name: string;
  readonly definition: ViewDefinition<never>;
  readonly record: PgRecord;
  readonly watermark: Watermark;
  /** Longest wait for a client's position. */
  readonly waitMs: number;
  recordEnd(): number;
  rebuild(view: ServedView, progress?: Progress): Promise<void>;
  verify(view: ServedView, progress?: Progress): Promise<VerifyReport>;
}

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

  constructor(options: ServedViewOptions) {
    this.#options = options;
    this.name = `${options.service}/${options.name}`;
    this.definition = options.definition;
  }

  get generation(): Generation | null {
    return this.#generation;
  }

  get version(): number {
    return this.#versionBase + (this.#generation?.version ?? 0);
  }

  get state(): ViewState {
    if (this.#fault ?? this.#generation?.fault) return 'broken';
    if (!this.#inStep) return 'building';
    return this.#generation!.torn || this.doubted ? 'catching up' : 'live';
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
  ): Answer<ResultsOf<Queries>> | undefined {
    const generation = this.#generation;
    if (!this.#inStep || this.doubted || !generation || generation.torn || generation.fault) return undefined;
    const results: unknown[] = [];
    for (const query of queries) {
      const result = generation.state.answer(query as never);
      if (result === undefined) return undefined;
      results.push(result);
    }
    return { results: results as ResultsOf<Queries>, position: this.#options.watermark.position, source: 'view' };
  }

  async read<const Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    options: ReadOptions = {},
  ): Promise<Answer<ResultsOf<Queries>>> {
    const reached = !options.minPosition || (await this.#reached(options.minPosition));
    return (reached && this.readNow(queries)) || (await this.#readRecord(queries, options));
  }

  status(): ViewStatus {
    const { watermark, service, name, definition } = this.#options;
    const served = this.#generation !== null && this.#inStep;
    const stats = served ? this.#generation!.state.stats() : { entries: 0, bytes: 0 };
    return {
      service,
      name,
      kind: definition.kind,
      state: this.state,
      position: served ? formatPosition(watermark.position) : null,
      lagBytes: served ? Math.max(0, this.#options.recordEnd() - watermark.position.lsn) : this.#options.recordEnd(),
      entries: stats.entries,
      bytes: stats.bytes,
      progress: this.progress,
      rebuilds: Math.max(0, this.#builds - 1),
      fault: this.#fault ?? this.#generation?.fault?.message ?? null,
    };
  }

  rebuild(progress?: Progress): Promise<void> {
    return this.#alone('rebuilt', () => this.#options.rebuild(this, progress));
  }

  verify(progress?: Progress): Promise<VerifyReport> {
    return this.#alone('verified', () => this.#options.verify(this, progress));
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
    if (!this.#inStep) return false;
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
    const { record, watermark, definition } = this.#options;
    try {
      const read = { record, watermark, definition, queries, ...(minPosition ? { minPosition } : {}) };
      const { results, position } = await readFromRecord(read);
      return { results: results as ResultsOf<Queries>, position, source: 'record' };
    } catch (error) {
      if (error instanceof ClientError) throw error;
      throw new ViewUnavailable(this.name, error);
    }
  }
}
