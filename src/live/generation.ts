import type { Change, Transaction } from '../changes/change.ts';
import type { Commit } from '../changes/visibility.ts';
import { inTurns } from '../views/stores/memory/turns.ts';
import type { MemoryView, ViewDefinition } from '../views/view.ts';

/**
 * One state of a view and the LSN it has applied. A view has one that it serves; a rebuild or a verification makes another
 * beside it. Skips what it has (SPEC 3).
 */
export class Generation {
  readonly state: MemoryView<never>;
  readonly tables: ReadonlySet<string>;
  /** Whether its tables' rows are loaded into it at the start. */
  readonly loaded: boolean;
  /** Transactions that end at or before this are in the state. */
  lsn = 0;
  /** Goes up with every transaction that changed the state. */
  version = 0;
  /** In the middle of a large transaction: not to be read. */
  torn = false;
  /** What `apply` threw: the state is of no use any more. */
  fault: Error | null = null;
  /** The stream that fed it ended in the middle of a large transaction: it stays torn. */
  abandoned = false;
  #skipping = false;
  /** The large transaction that slices belong to. */
  #large: Commit = { xid: 0, lsn: 0 };

  constructor(definition: ViewDefinition<never>) {
    this.state = definition.build();
    this.loaded = !definition.lazy;
    this.tables = new Set(definition.sources.map((source) => source.table));
  }

  /** Applies a whole transaction, or nothing when the state has it. */
  transaction(transaction: Transaction): void {
    if (transaction.lsn <= this.lsn) return;
    this.#apply(transaction.changes, transaction);
    this.lsn = transaction.lsn;
  }

  /** A large transaction follows in slices. `commitLsn` is the start of its commit record: the state has it if it is past that. */
  begin(xid: number, commitLsn: number): void {
    this.#large = { xid, lsn: commitLsn };
    this.#skipping = commitLsn < this.lsn;
  }

  /** A slice of a large transaction; `merge`, then `finish` end it. */
  slice(changes: readonly Change[]): void {
    if (this.#skipping) return;
    const version = this.version;
    this.#apply(changes, this.#large, true);
    if (this.version !== version) this.torn = true;
  }

  /** What the state has put off until all slices are applied, in turns; undefined where there is nothing. Never rejected. */
  merge(): Promise<void> | undefined {
    if (this.fault || !this.torn) return undefined;
    const merging = this.state.merge?.();
    return (
      merging &&
      inTurns(merging).catch((error) => {
        this.fault = error as Error;
      })
    );
  }

  finish(lsn: number): void {
    this.torn = false;
    this.#skipping = false;
    this.lsn = Math.max(this.lsn, lsn);
  }

  #apply(changes: readonly Change[], commit: Commit, inSlices = false): void {
    if (this.fault) return;
    const own = changes.every((change) => this.tables.has(change.table.name))
      ? changes
      : changes.filter((change) => this.tables.has(change.table.name));
    if (own.length === 0) return;
    this.version++;
    try {
      if (inSlices && this.state.applySlice) this.state.applySlice(own, commit);
      else this.state.apply(own, commit);
    } catch (error) {
      this.fault = error as Error;
    }
  }
}
