import type { Change, Transaction } from '../changes/change.ts';
import type { FeedHandler } from '../changes/feed.ts';
import type { Generation } from './generation.ts';
import type { Watermark } from './watermark.ts';

export interface ApplierOptions {
  readonly watermark: Watermark;
  /** A transaction is applied by every view: subscribers may see it. */
  published(transaction: Transaction): void;
  /** A large transaction is applied: its changes are not kept, subscribers start anew. */
  resync(): void;
  /** Everything up to here is applied: the slot may let go of it. */
  acknowledge(lsn: number): void;
  truncated(table: string): void;
  schemaChanged(detail: string): void;
  ended(error: Error): void;
}

/**
 * The stream's consumer: each transaction goes to every state in one turn of the event loop, then moves the watermark, then
 * reaches the subscribers. `read` between two turns never sees half of one (SPEC 2); a large transaction comes in slices, and
 * what it touches is not read meanwhile.
 */
export class Applier implements FeedHandler {
  readonly #options: ApplierOptions;
  readonly #generations = new Set<Generation>();
  readonly #waiting = new Set<() => void>();
  #inLarge = false;
  #ended: Error | null = null;
  transactions = 0;
  changes = 0;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Feeds a state that stands exactly at the watermark. */
  add(generation: Generation): void {
    this.#generations.add(generation);
  }

  remove(generation: Generation): void {
    this.#generations.delete(generation);
  }

  /** Feeds a state that is not behind this stream; refused while it is, or in the middle of a large transaction. */
  join(generation: Generation): boolean {
    if (this.#ended) throw this.#ended;
    if (this.#inLarge || generation.lsn < this.#options.watermark.position.lsn) return false;
    this.#generations.add(generation);
    return true;
  }

  /** Calls `look` after each step of the stream, until the returned function is called. */
  watch(look: () => void): () => void {
    this.#waiting.add(look);
    return () => this.#waiting.delete(look);
  }

  transaction(transaction: Transaction): void {
    this.transactions++;
    this.changes += transaction.changes.length;
    this.#noteTruncates(transaction.changes);
    for (const generation of this.#generations) generation.transaction(transaction);
    this.#options.watermark.transaction(transaction.xid, transaction.lsn);
    this.#options.published(transaction);
    this.#step();
  }

  largeBegin(xid: number, commitLsn: number): void {
    this.#inLarge = true;
    for (const generation of this.#generations) generation.begin(xid, commitLsn);
  }

  largeSlice(changes: readonly Change[]): void {
    this.changes += changes.length;
    this.#noteTruncates(changes);
    for (const generation of this.#generations) generation.slice(changes);
  }

  largeEnd(transaction: Transaction): void | Promise<void> {
    const merging = [...this.#generations].map((generation) => generation.merge()).filter((one) => one !== undefined);
    if (merging.length === 0) return this.#finishLarge(transaction);
    return Promise.all(merging).then(() => {
      if (!this.#ended) this.#finishLarge(transaction);
    });
  }

  #finishLarge(transaction: Transaction): void {
    this.#inLarge = false;
    this.transactions++;
    for (const generation of this.#generations) generation.finish(transaction.lsn);
    this.#options.watermark.transaction(transaction.xid, transaction.lsn);
    this.#options.resync();
    this.#step();
  }

  progress(lsn: number): void {
    this.#options.watermark.progress(lsn);
    this.#step();
  }

  schemaChanged(detail: string): void {
    this.#options.schemaChanged(detail);
  }

  ended(error: Error): void {
    this.#ended = error;
    for (const generation of this.#generations) generation.abandoned = true;
    this.#options.ended(error);
    for (const look of this.#waiting) look();
  }

  #noteTruncates(changes: readonly Change[]): void {
    for (const change of changes) if (change.op === 'truncate') this.#options.truncated(change.table.name);
  }

  #step(): void {
    this.#options.acknowledge(this.#options.watermark.position.lsn);
    for (const look of this.#waiting) look();
  }
}
