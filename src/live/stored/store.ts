import type { Row } from '../../record/value.ts';
import type { Drift, MemoryView, ViewDefinition, ViewStats } from '../../views/view.ts';
import type { BusConnection } from '../bus/bus.ts';
import type { RegistryConnection } from '../nodes/registry.ts';
import type { StoreReader } from './reads.ts';
import type { StoredState } from './state.ts';

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

/** A state that is being written: built, then fed. */
export interface WritableState extends StoredState {
  load(table: string, rows: readonly Row[]): Promise<void> | void;
  /** Everything is loaded; it stands at `lsn`. `now` in microseconds: what would be let go of at once is. */
  loaded(lsn: number, now: number): Promise<void>;
  /** Lets go of what is old, with the next batch; before rows are loaded: it is not built first. */
  expire(now: number): void;
  /** Every bucket serves it from now on; what was served before is deleted. */
  serve(): Promise<void>;
  /** It is not wanted after all. */
  drop(): Promise<void>;
  stats(): ViewStats;
  /** Differences from `twin`, which stands at the same position; one block a turn, each within `between`. */
  compare(
    twin: MemoryView<never>,
    between: <T>(work: () => Promise<T>) => Promise<T>,
  ): AsyncIterable<Drift | undefined>;
}

/** The views' store, as the leader writes it. Everything is refused (`deposed`) once a later leader has fenced it. */
export interface ViewStore {
  /** Raises the leader's epoch in every bucket: what an older one still sends is refused (CORRECTNESS 5). */
  fence(leader: number): Promise<void>;
  /** By `<service>/<view>`; one round. */
  look(): Promise<ReadonlyMap<string, ViewLook>>;
  /**
   * Goes on with what is there. `from`: the epoch of the record that it is of, where that is not `epoch`, which has all that it
   * holds (CORRECTNESS 1); refused (`gap`) where a bucket is not as `look` found it.
   */
  resume(view: string, leader: number, epoch: string, from?: string): Promise<WritableState>;
  /** A new, empty state beside the one that is served. */
  create(view: string, leader: number, epoch: string): Promise<WritableState>;
}

/** The store as a process opens it: any node reads, the leader writes. */
export interface OpenStore extends ViewStore {
  /** As `lockstep status` shows it: `Redis 7.0.15`, `Valkey 8 Cluster`. */
  readonly description: string;
  readonly connection: BusConnection & RegistryConnection;
  /** All keys and channels of the database begin with it. */
  readonly prefix: string;
  /** Makes a view known. Throws where its kind does not live outside of a process. */
  add(view: string, definition: ViewDefinition<never>): StoreReader;
  close(): Promise<void>;
}
