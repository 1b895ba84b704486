import { NodeTree } from './node-tree.ts';
import type { KeyedRows } from './radix-sort.ts';
import { RowMarks } from './row-marks.ts';
import { lowerBound, upperBound } from './search.ts';

/** To build a tree anew costs each of its entries about this fraction of what an insertion costs. */
const FEW = 16;

/**
 * Row numbers in order, with order statistics, in typed arrays. Rank, insert and remove take a descent of three or four nodes
 * at ten million entries; an entry takes 8.6 bytes after a build and 9 to 10 in use.
 */
export class OrderedRows extends NodeTree {
  /** Adds a row that is not in it. */
  insert(row: number): void {
    const { leaves } = this.pool;
    const key = this.order.key(row);
    leaves.accept(key);
    this.descend(row, key);
    while (leaves.size[this.leaf] === leaves.capacity) {
      this.makeRoom();
      this.descend(row, key);
    }
    const at = this.#place(row, key);
    leaves.insert(this.leaf, at, key, row);
    this.counted(1);
    if (at === leaves.offset(this.leaf)) this.firstChanged(row);
  }

  /**
   * Adds rows that are in order, none of them in it, and removes others: one by one where they are few beside those that are
   * there, otherwise all at once. Yields now and then, and must not be used before it is done.
   */
  *insertAll(added: KeyedRows, removed: readonly number[] = []): Generator<void> {
    const { rows } = added;
    if (rows.length * FEW >= this.size) {
      const gone = new RowMarks();
      for (const row of removed) gone.add(row);
      yield* this.merge(added, (row) => gone.has(row), removed.length);
      return;
    }
    for (let i = 0; i < removed.length; i++) {
      this.remove(removed[i]!);
      if (i % 512 === 511) yield;
    }
    for (let i = 0; i < rows.length; i++) {
      this.insert(rows[i]!);
      if (i % 512 === 511) yield;
    }
  }

  /** Removes a row; false where it is not in it. */
  remove(row: number): boolean {
    const { leaves } = this.pool;
    this.descend(row, this.order.key(row));
    const at = this.#indexOf(row);
    if (at < 0) return false;
    leaves.remove(this.leaf, at);
    this.counted(-1);
    if (at === leaves.offset(this.leaf) && leaves.size[this.leaf]! > 0) {
      this.firstChanged(leaves.rowsOf(this.leaf)[at]!);
    }
    this.shrink();
    return true;
  }

  /** How many rows come before this one, or -1 where it is not in it. */
  rank(row: number): number {
    const before = this.descend(row, this.order.key(row));
    const at = this.#indexOf(row);
    return at < 0 ? -1 : before + at - this.pool.leaves.offset(this.leaf);
  }

  /** How many rows come before the place where this row is or belongs. */
  before(row: number): number {
    const key = this.order.key(row);
    const before = this.descend(row, key);
    return before + this.#place(row, key) - this.pool.leaves.offset(this.leaf);
  }

  /** At most `limit` rows, from the one with `offset` rows before it. */
  range(offset: number, limit: number): number[] {
    const found: number[] = [];
    if (offset >= this.entries || limit <= 0) return found;
    const { leaves } = this.pool;
    let at = this.#select(offset);
    for (let leaf = this.leaf; leaf >= 0; ) {
      const rows = leaves.rowsOf(leaf);
      for (const end = leaves.offset(leaf) + leaves.size[leaf]!; at < end; at++) {
        if (found.push(rows[at]!) === limit) return found;
      }
      leaf = leaves.next[leaf]!;
      at = leaves.offset(leaf);
    }
    return found;
  }

  /** The first row of this key, or -1. */
  firstOf(key: number): number {
    const { leaves } = this.pool;
    const at = this.#seek(key);
    return at >= 0 && leaves.keysOf(this.leaf)[at] === key ? leaves.rowsOf(this.leaf)[at]! : -1;
  }

  /** At most `limit` rows of this key, in order. */
  allOf(key: number, limit: number): number[] {
    const found: number[] = [];
    const { leaves } = this.pool;
    let at = this.#seek(key);
    for (let leaf = at < 0 ? -1 : this.leaf; leaf >= 0; ) {
      const keys = leaves.keysOf(leaf);
      const rows = leaves.rowsOf(leaf);
      for (const end = leaves.offset(leaf) + leaves.size[leaf]!; at < end; at++) {
        if (found.length >= limit || keys[at] !== key) return found;
        found.push(rows[at]!);
      }
      leaf = leaves.next[leaf]!;
      at = leaves.offset(leaf);
    }
    return found;
  }

  /** The first row after this one, of its key, that passes, or -1. The row itself may be in it or not. */
  nextOf(row: number, passes: (row: number) => boolean): number {
    const { leaves } = this.pool;
    const key = this.order.key(row);
    this.descend(row, key);
    let at = this.#place(row, key);
    for (let leaf = this.leaf; leaf >= 0; ) {
      const keys = leaves.keysOf(leaf);
      const rows = leaves.rowsOf(leaf);
      for (const end = leaves.offset(leaf) + leaves.size[leaf]!; at < end; at++) {
        if (keys[at] !== key) return -1;
        if (rows[at] !== row && passes(rows[at]!)) return rows[at]!;
      }
      leaf = leaves.next[leaf]!;
      at = leaves.offset(leaf);
    }
    return -1;
  }

  /** Where in the leaf of the last descent the row belongs. */
  #place(row: number, key: number): number {
    const { leaves } = this.pool;
    const rows = leaves.rowsOf(this.leaf);
    const keys = leaves.keysOf(this.leaf);
    const start = leaves.offset(this.leaf);
    const end = start + leaves.size[this.leaf]!;
    const low = lowerBound(keys, start, end, key);
    return keys[low] === key && low < end ? this.#placeAmongTies(row, rows, low, upperBound(keys, low, end, key)) : low;
  }

  /** Among entries of equal key, by halves: each comparison looks into the table. */
  #placeAmongTies(row: number, rows: Int32Array, start: number, end: number): number {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.order.compare(rows[middle]!, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where in the leaf of the last descent the row is, or -1. Found by its number: no look at the keys, or into the table. */
  #indexOf(row: number): number {
    const { leaves } = this.pool;
    const rows = leaves.rowsOf(this.leaf);
    const start = leaves.offset(this.leaf);
    for (let at = start, end = start + leaves.size[this.leaf]!; at < end; at++) if (rows[at] === row) return at;
    return -1;
  }

  /** Goes to the first entry of at least this key; -1 where there is none. */
  #seek(key: number): number {
    const { leaves, inners } = this.pool;
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const base = node * inners.capacity;
      // The child before the first separator that is not less: equal entries may begin at its end.
      node = inners.child(lowerBound(inners.keys, base + 1, base + inners.size[node]!, key) - 1);
    }
    const end = leaves.offset(node) + leaves.size[node]!;
    const at = lowerBound(leaves.keysOf(node), leaves.offset(node), end, key);
    this.leaf = at < end ? node : leaves.next[node]!;
    if (this.leaf < 0) return -1;
    return at < end ? at : leaves.offset(this.leaf);
  }

  /** Goes to the entry with `offset` entries before it. */
  #select(offset: number): number {
    const { inners } = this.pool;
    let node = this.root;
    let left = offset;
    for (let level = 0; level < this.height; level++) {
      const base = node * inners.capacity;
      let slot = base;
      while (left >= inners.upTo(slot)) slot++;
      if (slot > base) left -= inners.upTo(slot - 1);
      node = inners.child(slot);
    }
    this.leaf = node;
    return this.pool.leaves.offset(node) + left;
  }
}
