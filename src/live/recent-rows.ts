import type { Change, Transaction } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import { type Key, keyFrom } from '../views/lazy.ts';
import type { Changed } from '../views/stored.ts';

/** More than are written in the time of one write. */
const RECENT = 1024;

/** The rows of a table that were changed last, as the stream brought them. */
export class RecentRows {
  readonly #table: string;
  readonly #id: string;
  readonly #rows = new Map<Key, Changed>();

  constructor({ table, id }: { table: string; id: string }) {
    this.#table = table;
    this.#id = id;
  }

  note({ xid, changes }: Pick<Transaction, 'xid' | 'changes'>): void {
    for (const change of changes) if (change.table.name === this.#table) this.#note(change, xid);
  }

  /** Those of the keys whose last change is known. */
  of(keys: readonly Key[]): Changed[] {
    return [...new Set(keys)].flatMap((key) => this.#rows.get(key) ?? []);
  }

  clear(): void {
    this.#rows.clear();
  }

  #note({ op, before, after }: Change, xid: number): void {
    if (op === 'truncate') {
      this.clear();
      return;
    }
    const [old, key] = [before?.[this.#id], after?.[this.#id]];
    if (old !== undefined && old !== null && old !== key) this.#set(keyFrom(old), null, xid);
    if (after) this.#set(keyFrom(key), Object.values(after).includes(undefined) ? undefined : after, xid);
  }

  #set(key: Key, row: Row | null | undefined, xid: number): void {
    this.#rows.delete(key); // to the end
    if (row !== undefined) this.#rows.set(key, { key, row, xid });
    if (this.#rows.size <= RECENT) return;
    const [oldest] = this.#rows.keys();
    this.#rows.delete(oldest!);
  }
}
