import type { Change, Transaction } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import type { BucketOperation, Operation } from '../../stored.ts';
import type { Drift, MemoryView, ViewQuery, ViewStats } from '../../view.ts';
import { auditDrifts } from './audit.ts';
import { SCRIPTS } from './bucket/scripts.ts';
import { BucketWriter, patiently } from './bucket/writer.ts';
import type { StoredView } from './view.ts';

/** Loaded operations that wait in each bucket. */
const LOAD_OPERATIONS = 1000;

export interface StoredGenerationOptions {
  readonly view: StoredView;
  readonly generation: number;
  /** The leader's epoch. */
  readonly leader: number;
  /** The record's. */
  readonly epoch: string;
  /** Where each bucket stands; not told where it is to be loaded. */
  readonly positions?: readonly number[];
}

/**
 * One generation of a view in the store, as its leader writes it: loaded from a snapshot or gone on with, then fed. Gathers
 * synchronously, writes all buckets at once.
 */
export class StoredGeneration {
  readonly tables: ReadonlySet<string>;
  readonly number: number;
  readonly #options: StoredGenerationOptions;
  readonly #buckets: readonly BucketWriter[];
  #loading: Operation[][];
  #isLoaded: boolean;
  #sending: Promise<unknown> = Promise.resolve();
  #large = { xid: 0, lsn: 0 };
  /** What the kind threw: the state is of no use any more. */
  fault: Error | null = null;

  constructor(options: StoredGenerationOptions) {
    const { view, generation, leader, epoch, positions } = options;
    const { kind, scripts, definition } = view;
    const { connection } = view.writing;
    this.#options = options;
    this.number = generation;
    this.tables = new Set(definition.sources.map((source) => source.table));
    this.#buckets = Array.from({ length: kind.buckets }, (_, bucket) => {
      const pointer = view.pointer(bucket);
      const position = positions?.[bucket] ?? 0;
      return new BucketWriter({ connection, scripts, pointer, generation, leader, epoch, position });
    });
    this.#loading = this.#buckets.map(() => []);
    this.#isLoaded = positions !== undefined;
  }

  /** Everything that ends at or before it is in the store. */
  get lsn(): number {
    return Math.min(...this.#buckets.map((bucket) => bucket.position));
  }

  /** It is of the present epoch of the record from now on, which goes on from where `from` was at each bucket. */
  async continue(from: string): Promise<void> {
    const { leader, epoch } = this.#options;
    const args = [String(this.number), String(leader), from, epoch];
    await this.#all((bucket) => bucket.call(SCRIPTS.continue, [...args, String(bucket.position)]));
  }

  /** Rows of a snapshot, in any order. Await it before the next block: at most two of them wait. */
  async load(table: string, rows: readonly Row[]): Promise<void> {
    for (const { bucket, operation } of this.#options.view.kind.load(table, rows))
      this.#loading[bucket]!.push(operation);
    const full = this.#loading.some((operations) => operations.length >= LOAD_OPERATIONS);
    if (full) await this.#sendLoaded();
  }

  /** Everything is loaded; it stands at `lsn`. `now` in microseconds: what would be let go of at once is. */
  async loaded(lsn: number, now: number): Promise<void> {
    const { kind } = this.#options.view;
    const last = [...(kind.loaded?.() ?? []), ...(kind.expire?.(now) ?? [])];
    await this.#sendLoaded();
    await this.#sending;
    await this.#all((bucket) => bucket.load(last, lsn));
    await this.#options.view.writing.settled();
    this.#isLoaded = true;
  }

  /** Gathers what the transaction means for it. */
  transaction(transaction: Transaction): void {
    for (const { bucket, operation } of this.#operations(transaction.changes, transaction.xid))
      this.#buckets[bucket]!.add(operation, transaction.lsn);
  }

  /** Writes what was gathered, as one step to `next`, whole or not at all for each bucket. */
  async flush(next: number): Promise<void> {
    const idle = this.#idle();
    const others = this.#buckets.filter((bucket) => !idle.includes(bucket));
    await Promise.all([this.#stamp(idle, next), ...others.map((bucket) => bucket.flush(next))]);
    await this.#options.view.writing.settled();
  }

  /** A large transaction in slices: from the first that touches it to `finish`, a bucket is not answered from. */
  begin(xid: number, commitLsn: number): void {
    this.#large = { xid, lsn: commitLsn };
    for (const bucket of this.#buckets) bucket.begin(commitLsn);
  }

  async slice(changes: readonly Change[]): Promise<void> {
    const { xid, lsn } = this.#large;
    const operations = Map.groupBy(this.#operations(changes, xid), ({ bucket }) => bucket);
    await Promise.all(
      [...operations].map(([bucket, own]) =>
        this.#buckets[bucket]!.slice(
          own.map(({ operation }) => operation),
          lsn,
        ),
      ),
    );
  }

  async finish(next: number): Promise<void> {
    await this.#all((bucket) => bucket.finish(next));
    await this.#options.view.writing.settled();
  }

  /** Lets go of what is old, with the next batch; before rows are loaded: it is not built first. */
  expire(now: number): void {
    for (const operation of this.#options.view.kind.expire?.(now) ?? [])
      for (const [i, bucket] of this.#buckets.entries()) {
        if (this.#isLoaded) bucket.addLater(operation);
        else this.#loading[i]!.push(operation);
      }
  }

  /** Every bucket serves it from now on; what was served before is deleted, beside what goes on. */
  async serve(): Promise<void> {
    const { view, leader } = this.#options;
    await this.#all((bucket) => bucket.call(SCRIPTS.serve, [String(this.number), String(leader)]));
    view.tidy(leader, ({ bucket, generation }) => {
      if (bucket >= this.#buckets.length) return true;
      return generation !== null && Number(generation) < this.number;
    });
  }

  /** It is not wanted after all. */
  async drop(): Promise<void> {
    const { view, leader } = this.#options;
    await view.sweep(leader, ({ generation }) => generation === String(this.number));
  }

  stats(): ViewStats {
    return this.#options.view.stats();
  }

  /** Differences from `twin`, which stands at the same position; one block a turn, each within `between`. */
  compare(
    twin: MemoryView<never>,
    between: <T>(work: () => Promise<T>) => Promise<T>,
  ): AsyncIterable<Drift | undefined> {
    const { view, epoch } = this.#options;
    return auditDrifts({
      view,
      twin: twin as MemoryView<ViewQuery<unknown>>,
      between,
      at: () => ({ epoch, lsn: this.lsn }),
    });
  }

  /** Buckets that nothing was gathered for, at one position, where one call can reach all of them. */
  #idle(): BucketWriter[] {
    if (this.#options.view.writing.connection.isCluster) return [];
    const idle = this.#buckets.filter((bucket) => bucket.isIdle);
    return idle.filter(({ position }) => position === idle[0]!.position);
  }

  /** Most batches touch few buckets: the others take the step together. */
  async #stamp(buckets: readonly BucketWriter[], next: number): Promise<void> {
    const [first] = buckets;
    if (!first || next <= first.position) return;
    const { view, leader, epoch } = this.#options;
    const args = [this.number, leader, epoch, first.position, next].map(String);
    const pointers = buckets.map(({ pointer }) => pointer);
    const taken = await patiently(() => view.writing.connection.run(SCRIPTS.stamps, pointers, args));
    await Promise.all(
      buckets.map(async (bucket, i) => {
        if ((taken as number[])[i] === 1) bucket.position = next;
        else await bucket.flush(next);
      }),
    );
  }

  #operations(changes: readonly Change[], xid: number): BucketOperation[] {
    if (this.fault) return [];
    const own = changes.filter((change) => this.tables.has(change.table.name));
    if (own.length === 0) return [];
    try {
      return [...this.#options.view.kind.changes(own, { xid })];
    } catch (error) {
      this.fault = error as Error;
      return [];
    }
  }

  /** Sends what waits, when what was sent before has arrived. */
  async #sendLoaded(): Promise<void> {
    const loading = this.#loading;
    this.#loading = this.#buckets.map(() => []);
    await this.#sending;
    this.#sending = Promise.all(
      this.#buckets.map((bucket, i) => loading[i]!.length > 0 && bucket.load(loading[i]!, null)),
    );
    this.#sending.catch(() => {}); // whoever awaits it next is told
  }

  async #all(work: (bucket: BucketWriter) => Promise<void>): Promise<void> {
    await Promise.all(this.#buckets.map(work));
  }
}
