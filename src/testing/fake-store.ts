import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Change, Transaction } from '../changes/change.ts';
import type { Position } from '../changes/position.ts';
import type { Commit } from '../changes/visibility.ts';
import type { OpenStore, ViewLook, WritableState } from '../live/stored/store.ts';
import type { Row } from '../record/value.ts';
import { StoreFault } from '../views/stores/valkey/errors.ts';
import type { Drift, MemoryView, ViewDefinition, ViewQuery } from '../views/view.ts';

interface Held {
  state: MemoryView<never>;
  epoch: string;
  lsn: number;
  torn: boolean;
}

/**
 * A store of views in the memory of the test's process, shared by the nodes that a test opens in it: fences, positions and loss as in
 * the real one, and a channel and a table of nodes. For tests of what stands around the store.
 */
export class FakeStore {
  readonly views = new Map<string, Held>();
  readonly listeners = new Map<string, Set<(message: Buffer) => void>>();
  readonly nodes = new Map<string, string>();
  leader = 0;
  /** Messages are lost while it is set. */
  cut = false;

  /** The store is empty, as after FLUSHALL. */
  flush(): void {
    this.views.clear();
  }

  open(): OpenStore {
    const definitions = new Map<string, ViewDefinition<never>>();
    const looks = () => new Map([...this.views].map(([name, held]) => [name, lookOf(held)]));
    return {
      description: 'a store for tests',
      prefix: 'lockstep:test:',
      connection: {
        publish: async (channel, message) => {
          await nextTurn();
          if (!this.cut) for (const listener of this.listeners.get(channel) ?? []) listener(message);
        },
        subscribe: async (channel, listener) => {
          const listeners = this.listeners.get(channel) ?? new Set();
          this.listeners.set(channel, listeners.add(listener));
          return async () => void listeners.delete(listener);
        },
        command: async (...args) => this.#command(args),
      },
      add: (name, definition) => {
        definitions.set(name, definition);
        return {
          read: async (queries, at) => {
            await nextTurn();
            return this.#read(name, queries, at);
          },
          ask: async () => undefined,
          amend: async (operations) => operations.map(() => undefined),
          stats: () => this.views.get(name)?.state.stats() ?? { entries: 0, bytes: 0 },
        };
      },
      fence: async (leader) => {
        if (this.leader > leader) throw new StoreFault('deposed', 'another node leads', this.leader);
        this.leader = leader;
      },
      look: async () => looks(),
      resume: async (name, leader, epoch) => {
        const held = this.views.get(name)!;
        held.epoch = epoch;
        return new FakeWritable(this, name, leader, held, definitions.get(name)!);
      },
      create: async (name, leader, epoch) => {
        const definition = definitions.get(name)!;
        const held = { state: definition.build(), epoch, lsn: 0, torn: false };
        return new FakeWritable(this, name, leader, held, definition);
      },
      close: async () => {},
    };
  }

  #read(name: string, queries: readonly ViewQuery<unknown>[], { epoch, lsn }: Position) {
    const held = this.views.get(name);
    if (!held || held.torn || held.epoch !== epoch || held.lsn < lsn) return undefined;
    const results = queries.map((query) => held.state.answer(query as never));
    return results.includes(undefined) ? undefined : { results, lsn: held.lsn };
  }

  #command([name, , ...args]: readonly string[]): unknown {
    if (name === 'TIME') return [String(Math.floor(Date.now() / 1000)), '0'];
    if (name === 'HSET') this.nodes.set(args[0]!, args[1]!);
    if (name === 'HDEL') for (const field of args) this.nodes.delete(field);
    return [...this.nodes.values()];
  }
}

function lookOf({ epoch, lsn, torn }: Held): ViewLook {
  return { intact: true, epoch, lsn, reach: torn ? null : lsn };
}

class FakeWritable implements WritableState {
  readonly tables: ReadonlySet<string>;
  fault: Error | null = null;
  readonly #store: FakeStore;
  readonly #name: string;
  readonly #leader: number;
  readonly #held: Held;
  #gathered: Transaction[] = [];
  #large: Commit | null = null;
  #served = false;

  constructor(store: FakeStore, name: string, leader: number, held: Held, definition: ViewDefinition<never>) {
    this.tables = new Set(definition.sources.map(({ table }) => table));
    this.#store = store;
    this.#name = name;
    this.#leader = leader;
    this.#held = held;
    this.#served = store.views.get(name) === held;
  }

  get lsn(): number {
    return this.#held.lsn;
  }

  load(table: string, rows: readonly Row[]): void {
    this.#held.state.load(table, rows);
  }

  async loaded(lsn: number, now: number): Promise<void> {
    await this.#held.state.loaded();
    this.#held.state.expire?.(now);
    this.#held.lsn = lsn;
  }

  transaction(transaction: Transaction): void {
    if (transaction.lsn > this.lsn) this.#gathered.push(transaction);
  }

  async flush(next: number): Promise<void> {
    await nextTurn();
    this.#check();
    for (const transaction of this.#gathered.splice(0)) this.#apply(transaction.changes, transaction);
    this.#held.lsn = Math.max(this.lsn, next);
  }

  begin(xid: number, commitLsn: number): void {
    this.#large = commitLsn < this.lsn ? null : { xid, lsn: commitLsn };
  }

  async slice(changes: readonly Change[]): Promise<void> {
    await nextTurn();
    this.#check();
    if (!this.#large) return;
    this.#held.torn = true;
    this.#apply(changes, this.#large);
  }

  async finish(next: number): Promise<void> {
    await nextTurn();
    this.#check();
    this.#held.torn = false;
    this.#held.lsn = Math.max(this.lsn, next);
  }

  expire(now: number): void {
    this.#held.state.expire?.(now);
  }

  async serve(): Promise<void> {
    this.#served = true;
    if (this.#store.leader > this.#leader) throw named('StoreDeposed', 'another node leads');
    this.#store.views.set(this.#name, this.#held);
  }

  async drop(): Promise<void> {}

  stats() {
    return this.#held.state.stats();
  }

  async *compare(twin: MemoryView<never>, between: <T>(work: () => Promise<T>) => Promise<T>) {
    const found: (Drift | undefined)[] = [];
    await between(async () => void found.push(...this.#held.state.compare(twin)));
    yield* found;
  }

  #apply(changes: readonly Change[], commit: Commit): void {
    const own = changes.filter((change) => this.tables.has(change.table.name));
    if (own.length > 0) this.#held.state.apply(own, commit);
  }

  #check(): void {
    if (this.#store.leader > this.#leader) throw named('StoreDeposed', 'another node leads');
    if (this.#served && this.#store.views.get(this.#name) !== this.#held) throw named('StoreLost', 'absent');
  }
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
