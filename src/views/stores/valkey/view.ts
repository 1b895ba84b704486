import { createHash } from 'node:crypto';
import type { Position } from '../../../changes/position.ts';
import type { BucketOperation, StoredKind, StoredRead } from '../../stored.ts';
import type { ViewDefinition, ViewQuery, ViewStats } from '../../view.ts';
import type { KeyName, KeyNames } from './bucket/names.ts';
import { type KindScripts, kindScripts, SCRIPTS } from './bucket/scripts.ts';
import { type BucketState, bucketState } from './bucket/state.ts';
import { patiently } from './bucket/writer.ts';
import type { Census } from './census.ts';
import type { ValkeyConnection } from './connection.ts';
import { StoreFault, StoreUnavailable } from './errors.ts';
import { StoredGeneration } from './generation.ts';
import { BucketReader, type Replies } from './reader.ts';
import type { WritingConnection } from './writing.ts';

/** Generations that one leader may begin. */
const GENERATIONS_OF_A_LEADER = 1_000_000;
const STATS_MS = 1000;

export interface StoredViewOptions {
  readonly connection: ValkeyConnection;
  readonly writing: WritingConnection;
  readonly names: KeyNames;
  /** Tells this process from others that lead. */
  readonly holder: string;
  /** `<service>/<view>` */
  readonly name: string;
  readonly definition: ViewDefinition<never>;
  readonly census: Census;
  /** The store answered with an error that will not pass by itself. */
  failed(view: string, error: Error): void;
}

/** Where a view stands in the store, over all its buckets. */
export interface ViewLook {
  /** All buckets are there, of one generation, in the form that the definition has now. */
  readonly intact: boolean;
  /** The record's epoch; null where there is none. */
  readonly epoch: string | null;
  /** The least of its buckets' (LSN). */
  readonly lsn: number;
  /** The most that any of them holds (LSN); null where that is not known: one is in the middle of a step. */
  readonly reach: number | null;
}

/** A view in the store: any node reads it, the leader writes its generations. */
export class StoredView {
  readonly name: string;
  readonly definition: ViewDefinition<never>;
  readonly kind: StoredKind;
  readonly connection: ValkeyConnection;
  readonly writing: WritingConnection;
  readonly scripts: KindScripts;
  readonly reader: BucketReader;
  readonly #options: StoredViewOptions;
  readonly #shape: string;
  #begun = 0;
  #tidying: Promise<void> = Promise.resolve();
  #epoch: string | null = null;
  #entries = 0;
  #unheld: string | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StoredViewOptions) {
    const { name, definition, connection, writing } = options;
    if (!definition.stored) {
      throw new Error(
        `The view ${name} is a ${definition.kind}, which lives in process memory only; unset VALKEY_URL.`,
      );
    }
    this.#options = options;
    this.name = name;
    this.definition = definition;
    this.connection = connection;
    this.writing = writing;
    this.kind = definition.stored as unknown as StoredKind;
    this.scripts = kindScripts(this.kind.script);
    const pointer = (bucket: number) => this.pointer(bucket);
    this.reader = new BucketReader({ connection, pointer, kind: this.kind, scripts: this.scripts });
    this.#shape = shapeOf(definition, this.kind);
  }

  /** A bucket's key. */
  pointer(bucket: number): string {
    return this.#options.names.pointer(this.name, bucket);
  }

  /**
   * The answers at one position of the same epoch, not before `at`; undefined where the store cannot give them: it is away, was
   * emptied, is being filled, fell back, or does not hold them.
   */
  async read(queries: readonly ViewQuery<unknown>[], at: Position) {
    const read = await this.#answering(at, () => this.reader.read(queries, at));
    return read?.results.includes(undefined) ? undefined : read;
  }

  /** The replies to questions to the buckets; undefined as with `read`. */
  ask(reads: readonly StoredRead[], at: Position): Promise<Replies | undefined> {
    return this.#answering(at, () => this.reader.ask(reads, at));
  }

  /** See `StoredLazy`: undefined in the place of an operation that was not run. */
  async amend(operations: readonly BucketOperation[], at: Position): Promise<readonly unknown[]> {
    const replies = await this.#answering(at, () => this.reader.amend(operations, at));
    return replies ?? operations.map(() => undefined);
  }

  /** The number of entries at a position; throws where the store does not answer. */
  async entriesAt(at: Position): Promise<number> {
    const reads = Array.from({ length: this.kind.buckets }, (_, bucket) => ({ bucket, name: 'entries', args: [] }));
    const asked = await this.reader.ask(reads, at);
    if (!asked) throw new Error(`the store does not answer for ${this.name}`);
    return asked.replies.reduce<number>((sum, count) => sum + Number(String(count)), 0);
  }

  /** As of a moment ago. */
  stats(): ViewStats {
    void this.#count();
    return { entries: this.#entries, bytes: this.#options.census.bytesOf(this.name), unheld: this.#unheld };
  }

  /** Raises the leader's epoch in every bucket: what an older one still sends is refused (CORRECTNESS 5). */
  async fence(leader: number): Promise<void> {
    const args = [String(leader), this.#options.holder];
    const run = (bucket: number) => this.connection.run(SCRIPTS.fence, this.pointer(bucket), args);
    const answers = await this.#each((bucket) => patiently(() => run(bucket)));
    const deposed = answers.map(String).filter((answer) => answer !== 'applied');
    if (deposed.length === 0) return;
    const leaders = deposed.map((answer) => Number(/\d+$/.exec(answer)?.[0] ?? 0));
    throw new StoreFault('deposed', `a bucket of ${this.name} answers "${deposed[0]}"`, Math.max(...leaders));
  }

  /** Where it stands; undefined where there is nothing of it. */
  async look(): Promise<ViewLook | undefined> {
    const states = await this.#states();
    const [first] = states;
    if (states.every(({ generation }) => generation === null)) return undefined;
    const intact = states.every(
      ({ generation, epoch, position, shape }) =>
        position !== null && generation === first!.generation && epoch === first!.epoch && shape === this.#shape,
    );
    const { epoch } = first!;
    if (!intact) return { intact, epoch, lsn: 0, reach: null };
    const positions = states.map(({ position }) => position!);
    const reach = states.some(({ torn }) => torn) ? null : Math.max(...positions);
    return { intact, epoch, lsn: Math.min(...positions), reach };
  }

  /** Goes on with what is there, be it of an epoch of the record that the present one continues. */
  async resume(leader: number, epoch: string, from = epoch): Promise<StoredGeneration> {
    const states = await this.#states();
    const generation = states[0]!.generation;
    const whole = states.every(
      (state) => state.generation === generation && state.position !== null && state.epoch === from,
    );
    if (!whole || generation === null) throw new StoreFault('absent', `${this.name} is not whole in the store`);
    const positions = states.map(({ position }) => position!);
    const resumed = new StoredGeneration({ view: this, generation, leader, epoch, positions });
    if (from !== epoch) await resumed.continue(from);
    return resumed;
  }

  /** A new, empty generation beside the one that is served. */
  async create(leader: number, epoch: string): Promise<StoredGeneration> {
    const states = await this.#states();
    const latest = Math.max(...states.map((state) => state.generation ?? 0), leader * GENERATIONS_OF_A_LEADER);
    this.#begun = Math.max(latest, this.#begun) + 1;
    const generation = this.#begun;
    const args = [String(generation), String(leader), epoch, this.#shape];
    const answers = await this.#each((bucket) => this.connection.run(SCRIPTS.begin, this.pointer(bucket), args));
    const refused = answers.find((answer) => answer !== 'applied');
    if (refused) {
      const reason = String(refused).startsWith('deposed') ? 'deposed' : 'absent';
      throw new StoreFault(reason, `a bucket of ${this.name} answers "${refused}"`);
    }
    return new StoredGeneration({ view: this, generation, leader, epoch });
  }

  /** The same as `sweep`, beside what goes on. What it does not come to is deleted with the next rebuild. */
  tidy(leader: number, meant: (key: KeyName) => boolean): void {
    this.#tidying = this.#tidying.then(() => this.sweep(leader, meant)).catch(() => {});
  }

  /** Resolves when `tidy` is through. */
  tidied(): Promise<void> {
    return this.#tidying;
  }

  /** Deletes the keys that are meant, but none of what is served. Refused once a later leader has fenced the bucket. */
  async sweep(leader: number, meant: (key: KeyName) => boolean): Promise<void> {
    const { names } = this.#options;
    await this.connection.scan(names.pattern(this.name), async (keys) => {
      const found = Map.groupBy(keys, (key) => {
        const name = names.parse(key);
        return name?.view === this.name && meant(name) ? name.bucket : null;
      });
      for (const [bucket, own] of found) {
        if (bucket === null) continue;
        const pointer = this.pointer(bucket);
        // A declaration before this one had more buckets; nobody fences those.
        if (bucket >= this.kind.buckets) await this.connection.pipeline(pointer, [['UNLINK', ...own]]);
        else await this.writing.connection.run(SCRIPTS.sweep, pointer, [String(leader), ...own]);
      }
    });
  }

  async #states(): Promise<BucketState[]> {
    return (await this.#each((bucket) => this.connection.run(SCRIPTS.look, this.pointer(bucket), []))).map(bucketState);
  }

  #each<T>(work: (bucket: number) => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: this.kind.buckets }, (_, bucket) => work(bucket)));
  }

  /** Undefined where the store does not answer. */
  async #answering<T>({ epoch }: Position, work: () => Promise<T>): Promise<T | undefined> {
    this.#epoch = epoch;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.#options.failed(this.name, error as Error);
      return undefined;
    }
  }

  /** Once a second at most. */
  async #count(): Promise<void> {
    const now = performance.now();
    if (now - this.#countedAt < STATS_MS) return;
    this.#countedAt = now;
    const state = this.#epoch ?? (await this.look().catch(() => undefined))?.epoch;
    if (!state) return;
    const at = { epoch: state, lsn: 0 };
    const { unheld } = this.kind;
    const [entries, aside] = await Promise.all([
      this.entriesAt(at).catch(() => this.#entries),
      unheld && this.reader.ask(unheld.reads, at).catch(() => undefined),
    ]);
    this.#entries = entries;
    if (aside) this.#unheld = unheld!.text(aside.replies);
  }
}

/** What decides what is stored: data of another declaration are of no use. */
function shapeOf({ kind, sources }: ViewDefinition<never>, { buckets, script, shape }: StoredKind): string {
  const decides = JSON.stringify([kind, sources, buckets, script, shape ?? null]);
  return createHash('sha256').update(decides).digest('base64url').slice(0, 22);
}
