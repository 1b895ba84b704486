import type { Change, Transaction } from '../../changes/change.ts';
import type { FeedHandler } from '../../changes/feed.ts';
import type { StoredState } from './state.ts';

/** More changes than this wait: the stream rests until they are written. */
const MAX_WAITING = 50_000;
/** Changes in one batch. */
const MAX_BATCH = 5_000;
/** How often the store is told of a log that moves without touching anything, when nobody waits for it. */
const PROGRESS_MS = 1000;

/** A state in this process beside the stored ones (what `verify` compares with): it gets what they have got. */
export interface Beside {
  readonly lsn: number;
  transaction(transaction: Transaction): void;
  begin(xid: number, commitLsn: number): void;
  slice(changes: readonly Change[]): void;
  merge(): Promise<void> | undefined;
  finish(lsn: number): void;
}

export interface StoredApplierOptions {
  /** Where the stream begins (LSN). */
  readonly start: number;
  /** Every view has applied these, up to `next`. */
  delivered(next: number, transactions: readonly Transaction[]): void;
  /** The same of a large transaction, whose changes are not kept. */
  resync(next: number): void;
  /** Everything up to here is applied: the slot may let go of it. */
  acknowledge(lsn: number): void;
  /** The stream is to rest, and to go on. */
  pause(): void;
  resume(): void;
  truncated(table: string): void;
  schemaChanged(detail: string): void;
  /** The stream ended, or the store takes no more. */
  ended(error: Error): void;
}

type Item =
  | { readonly type: 'transaction'; readonly transaction: Transaction }
  | { readonly type: 'begin'; readonly xid: number; readonly commitLsn: number }
  | { readonly type: 'slice'; readonly changes: readonly Change[] }
  | { readonly type: 'end'; readonly lsn: number };

/**
 * The stream's consumer where the views live outside of the process. What has come goes to all of them as one batch; while that
 * is under way the next one gathers. Only when every view has it, it is delivered to the subscribers and acknowledged to the
 * slot, in order.
 */
export class StoredApplier implements FeedHandler {
  readonly #options: StoredApplierOptions;
  readonly #states = new Set<StoredState>();
  readonly #beside = new Set<Beside>();
  readonly #watching = new Set<() => void>();
  #queue: Item[] = [];
  #waiting = 0;
  #resting = false;
  #working = false;
  #inLarge = false;
  #ended: Error | null = null;
  /** Where the log is, as far as the stream has told. */
  #told: number;
  #wanted = false;
  #stampedAt = performance.now();
  #between: { run(): Promise<void>; reject(error: Error): void }[] = [];
  /** Things taken in, and done with, since the start. */
  #taken = 0;
  #done = 0;
  #settling: { readonly after: number; resolve(): void; reject(error: Error): void }[] = [];
  #writing = false;
  #timer: NodeJS.Timeout;
  /** Every view has applied everything up to here, and the subscribers know. */
  lsn: number;
  transactions = 0;
  changes = 0;

  constructor(options: StoredApplierOptions) {
    this.#options = options;
    this.lsn = options.start;
    this.#told = options.start;
    this.#timer = setInterval(() => this.#kick(), PROGRESS_MS);
  }

  add(state: StoredState): void {
    this.#states.add(state);
  }

  remove(state: StoredState | Beside): void {
    this.#states.delete(state as StoredState);
    this.#beside.delete(state as Beside);
  }

  /** Feeds a state that is not behind what is applied; refused while it is, or in the middle of a large transaction. */
  join(state: StoredState): boolean {
    return this.#join(() => this.#states.add(state), state.lsn);
  }

  joinBeside(state: Beside): boolean {
    return this.#join(() => this.#beside.add(state), state.lsn);
  }

  #join(add: () => void, lsn: number): boolean {
    if (this.#ended) throw this.#ended;
    if (this.#inLarge || this.#writing || lsn < this.lsn) return false;
    add();
    return true;
  }

  /** Calls `look` after each step, until the returned function is called. */
  watch(look: () => void): () => void {
    this.#watching.add(look);
    return () => this.#watching.delete(look);
  }

  /** Runs `work` while nothing is written, and nothing that is not delivered is in the store; rejects when the stream ends before its turn. */
  between<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#between.push({ run: () => work().then(resolve, reject), reject });
    this.#kick();
    return promise;
  }

  /** Resolves when everything that has come by now is delivered. */
  settled(): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#done === this.#taken) return Promise.resolve();
    return new Promise((resolve, reject) => this.#settling.push({ after: this.#taken, resolve, reject }));
  }

  /** Somebody waits: the next progress of the log is told at once. */
  want(): void {
    this.#wanted = true;
  }

  transaction(transaction: Transaction): void {
    this.#take({ type: 'transaction', transaction }, transaction.changes);
  }

  largeBegin(xid: number, commitLsn: number): void {
    this.#take({ type: 'begin', xid, commitLsn }, []);
  }

  largeSlice(changes: readonly Change[]): void {
    this.#take({ type: 'slice', changes }, changes);
  }

  largeEnd({ lsn }: Transaction): void {
    this.#take({ type: 'end', lsn }, []);
  }

  progress(lsn: number): void {
    this.#told = Math.max(this.#told, lsn);
    if (this.#wanted) this.#kick();
  }

  schemaChanged(detail: string): void {
    this.#options.schemaChanged(detail);
  }

  ended(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    clearInterval(this.#timer);
    this.#queue = [];
    for (const { reject } of [...this.#settling.splice(0), ...this.#between.splice(0)]) reject(error);
    this.#options.ended(error);
    this.#look();
  }

  #take(item: Item, changes: readonly Change[]): void {
    if (this.#ended) return;
    for (const change of changes) if (change.op === 'truncate') this.#options.truncated(change.table.name);
    this.#queue.push(item);
    this.#taken++;
    this.#waiting += changes.length;
    if (this.#waiting > MAX_WAITING && !this.#resting) {
      this.#resting = true;
      this.#options.pause();
    }
    this.#kick();
  }

  #kick(): void {
    if (this.#working || this.#ended) return;
    this.#working = true;
    setImmediate(() => {
      this.#work().then(
        () => {
          this.#working = false;
          this.#look();
          if (this.#hasWork) this.#kick();
        },
        (error: Error) => {
          this.#working = false;
          this.ended(error);
        },
      );
    });
  }

  get #hasWork(): boolean {
    return this.#queue.length > 0 || this.#between.length > 0 || (this.#wanted && this.#told > this.lsn);
  }

  /** Everything there is, one batch after the other. */
  async #work(): Promise<void> {
    for (;;) {
      const turns = this.#inLarge ? 0 : this.#between.length; // what comes meanwhile waits for the next step
      for (let i = 0; i < turns && !this.#ended; i++) await this.#between.shift()!.run();
      if (this.#ended) return;
      if (this.#queue.length > 0) await this.#step();
      else {
        await this.#progress();
        return;
      }
    }
  }

  async #step(): Promise<void> {
    const batch = this.#takeBatch();
    if (batch.length > 0) await this.#batch(batch);
    else await this.#large(this.#queue.shift()!);
    this.#done += Math.max(1, batch.length);
    this.#look();
    this.#rested();
  }

  /** The transactions at the front of the queue, as many as fit. */
  #takeBatch(): Transaction[] {
    const batch: Transaction[] = [];
    let size = 0;
    for (const item of this.#queue) {
      if (item.type !== 'transaction' || (size > 0 && size + item.transaction.changes.length > MAX_BATCH)) break;
      size += item.transaction.changes.length;
      batch.push(item.transaction);
    }
    this.#queue.splice(0, batch.length);
    this.#waiting -= size;
    return batch;
  }

  async #batch(batch: readonly Transaction[]): Promise<void> {
    for (const transaction of batch) for (const state of this.#states) state.transaction(transaction);
    const next = batch.at(-1)!.lsn;
    await this.#all((state) => state.flush(next));
    for (const transaction of batch) {
      this.transactions++;
      this.changes += transaction.changes.length;
      for (const state of this.#beside) state.transaction(transaction);
    }
    this.#reached(next, () => this.#options.delivered(next, batch));
  }

  async #large(item: Item): Promise<void> {
    if (item.type === 'begin') {
      this.#inLarge = true;
      for (const state of [...this.#states, ...this.#beside]) state.begin(item.xid, item.commitLsn);
    } else if (item.type === 'slice') {
      this.#waiting -= item.changes.length;
      this.changes += item.changes.length;
      await this.#all((state) => state.slice(item.changes));
      for (const state of this.#beside) state.slice(item.changes);
    } else if (item.type === 'end') {
      await this.#all((state) => state.finish(item.lsn));
      for (const state of this.#beside) {
        await state.merge();
        state.finish(item.lsn);
      }
      this.#inLarge = false;
      this.transactions++;
      this.#reached(item.lsn, () => this.#options.resync(item.lsn));
    }
  }

  /** The log has moved on without touching anything: stamped when somebody waits for it, otherwise now and then. */
  async #progress(): Promise<void> {
    const next = this.#told;
    const due = this.#wanted || performance.now() - this.#stampedAt >= PROGRESS_MS;
    if (this.#inLarge || next <= this.lsn || !due) return;
    this.#wanted = false;
    await this.#all((state) => state.flush(next));
    this.#reached(next, () => this.#options.delivered(next, []));
  }

  async #all(work: (state: StoredState) => Promise<void>): Promise<void> {
    this.#writing = true;
    try {
      await Promise.all([...this.#states].map(work));
    } finally {
      this.#writing = false;
    }
    if (this.#ended) throw this.#ended;
  }

  #reached(next: number, deliver: () => void): void {
    this.lsn = next;
    this.#told = Math.max(this.#told, next);
    this.#stampedAt = performance.now();
    deliver();
    this.#options.acknowledge(next);
  }

  #rested(): void {
    if (!this.#resting || this.#waiting > MAX_WAITING / 2) return;
    this.#resting = false;
    this.#options.resume();
  }

  #look(): void {
    while (this.#settling[0] && this.#settling[0].after <= this.#done) this.#settling.shift()!.resolve();
    for (const look of this.#watching) look();
  }
}
