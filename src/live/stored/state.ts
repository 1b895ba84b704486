import type { Change, Transaction } from '../../changes/change.ts';

/** A view's state outside of the process, as its leader writes it. Gathers synchronously, writes in batches. */
export interface StoredState {
  readonly tables: ReadonlySet<string>;
  readonly fault: Error | null;
  /** Everything that ends at or before it is in the store. */
  readonly lsn: number;
  /** Gathers what the transaction means for it. */
  transaction(transaction: Transaction): void;
  /** Writes what was gathered, as one step from the position before to `next`, whole or not at all for each bucket. */
  flush(next: number): Promise<void>;
  /** A large transaction in slices: from the first that touches it to `finish`, it is not answered from. */
  begin(xid: number, commitLsn: number): void;
  slice(changes: readonly Change[]): Promise<void>;
  finish(next: number): Promise<void>;
}
