import { type NodePool, WINDOW } from './node-pool.ts';
import type { KeyedRows } from './radix-sort.ts';
import { lowerBound } from './search.ts';

/** A total order of rows. What the tree asks for must not change while a row is in it. */
export interface RowOrder {
  /** Cached beside each entry. Never NaN. */
  key(row: number): number;
  /** Orders rows of equal key; cached in inner nodes. */
  second(row: number): number;
  /** Orders rows of equal key, by `second` and whatever comes after it. */
  compare(a: number, b: number): number;
}

/** A node with its nearest siblings under the same parent. */
interface Siblings {
  readonly parent: number;
  /** Index of the first of them in the parent. */
  readonly first: number;
  readonly members: readonly number[];
  /** Their entries or children together. */
  readonly total: number;
  /** Of each. */
  readonly capacity: number;
}

/**
 * The shape of a counted B+-tree: how it grows, shrinks and is built at once. Siblings share their entries before one is
 * split (in a B*-tree's manner), so nodes stay more than 80 % full. In every inner node, a child's separator is exactly its
 * first entry. Every node but the root has at least two children or entries.
 */
export abstract class NodeTree {
  protected readonly pool: NodePool;
  protected readonly order: RowOrder;
  protected root: number;
  /** Levels of inner nodes; with none, the root is a leaf. */
  protected height = 0;
  protected entries = 0;
  /** Where the last descent ended; its way down is in the pool's `path` and `taken`. */
  protected leaf = 0;

  constructor(options: { pool: NodePool; order: RowOrder }) {
    this.pool = options.pool;
    this.order = options.order;
    this.root = options.pool.leaves.allocate();
  }

  get size(): number {
    return this.entries;
  }

  /** How full the leaves are, from 0 to 1. */
  get fill(): number {
    const { leaves } = this.pool;
    let count = 0;
    for (let leaf = this.edge(this.root, this.height, false); leaf >= 0; leaf = leaves.next[leaf]!) count++;
    return this.entries / (count * leaves.capacity);
  }

  /**
   * Fills the empty tree with rows that are in order already, leaves 15/16 full. Yields now and then: the caller may hand
   * the turn back, but must let nobody use the tree before it is done.
   */
  *build({ rows, keys }: KeyedRows): Generator<void> {
    if (rows.length === 0) return;
    this.pool.leaves.free(this.root);
    let nodes = yield* this.#buildLeaves(rows, keys);
    for (this.height = 0; nodes.length > 1; this.height++) nodes = yield* this.#buildInners(nodes);
    this.root = nodes[0]!;
    this.entries = rows.length;
  }

  /** Puts rows in order, none of them in it, among those that are, without those that are `gone`: the tree is built anew of both. */
  protected *merge(added: KeyedRows, gone: (row: number) => boolean, goneCount: number): Generator<void> {
    const merged = yield* this.#merged(added, gone, this.entries + added.rows.length - goneCount);
    this.drop();
    this.root = this.pool.leaves.allocate();
    this.height = 0;
    this.entries = 0;
    yield* this.build(merged);
  }

  /** Gives all nodes back to the pool, without touching the leaves; the tree must not be used any more. */
  drop(): void {
    this.pool.leaves.freeAll(this.edge(this.root, this.height, false), this.edge(this.root, this.height, true));
    this.#freeInners(this.root, this.height);
    this.root = -1;
  }

  /** Follows the separators to the leaf where the row is or belongs; returns how many entries lie in leaves before it. */
  protected descend(row: number, key: number): number {
    const { path, taken, inners } = this.pool;
    let node = this.root;
    let before = 0;
    for (let level = 0; level < this.height; level++) {
      const base = node * inners.capacity;
      const end = base + inners.size[node]!;
      // The first child needs no look: what comes before it belongs there too.
      let slot = lowerBound(inners.keys, base + 1, end, key);
      while (slot < end && inners.keys[slot] === key && this.#isNotAfter(slot, row)) slot++;
      slot--;
      if (slot > base) before += inners.upTo(slot - 1);
      path[level] = node;
      taken[level] = slot - base;
      node = inners.child(slot);
    }
    this.leaf = node;
    return before;
  }

  /** Adds to the counts along the last descent. */
  protected counted(difference: number): void {
    const { path, taken, inners } = this.pool;
    for (let level = 0; level < this.height; level++) inners.addCount(path[level]!, taken[level]!, difference);
    this.entries += difference;
  }

  /** The leaf of the last descent begins with another row now: so do the nodes above that begin with that leaf. */
  protected firstChanged(row: number): void {
    for (let level = this.height - 1; level >= 0; level--) {
      this.#setSeparator(this.#slot(level), row);
      if (this.pool.taken[level]! > 0) return;
    }
  }

  /** Makes room in the full leaf of the last descent, or in a node above it first: the caller descends again. */
  protected makeRoom(level = this.height): void {
    if (level === 0) {
      this.#growRoot();
      return;
    }
    const { inners } = this.pool;
    const siblings = this.#siblings(level);
    const { parent, members, total, capacity } = siblings;
    const width = members.length;
    const usual = capacity - slack(capacity);
    if (total <= width * usual) this.#spread(level, siblings, even(total, width));
    else if (inners.size[parent] === inners.capacity) this.makeRoom(level - 1);
    else this.#spread(level, siblings, this.#splitEnds(level, total, width + 1, usual));
  }

  /** After a removal along the last descent: unites siblings that would leave too much room. */
  protected shrink(): void {
    for (let level = this.height; level > 0; level--) {
      const { capacity, size } = this.#nodes(level);
      const its = size[level === this.height ? this.leaf : this.pool.path[level]!]!;
      if (its * 4 >= capacity * 3) break;
      const siblings = this.#siblings(level);
      const fewer = siblings.members.length - 1;
      if (siblings.total > fewer * (capacity - (capacity >> 3))) {
        if (its < Math.max(2, capacity >> 2)) this.#spread(level, siblings, even(siblings.total, fewer + 1));
        break;
      }
      this.#spread(level, siblings, even(siblings.total, fewer));
    }
    this.#lowerRoot();
  }

  /** The first or last leaf below a node that has `height` levels of inner nodes. */
  protected edge(node: number, height: number, last: boolean): number {
    const { inners } = this.pool;
    let below = node;
    for (let level = height; level > 0; level--) {
      below = inners.child(below * inners.capacity + (last ? inners.size[below]! - 1 : 0));
    }
    return below;
  }

  /** Whether the separator in this slot, of the row's key, is the row or comes before it. */
  #isNotAfter(slot: number, row: number): boolean {
    const { inners } = this.pool;
    const its = inners.second(slot);
    const other = this.order.second(row);
    return its === other ? this.order.compare(inners.row(slot), row) <= 0 : its < other;
  }

  /** The slot taken by the last descent on this level. */
  #slot(level: number): number {
    return this.pool.path[level]! * this.pool.inners.capacity + this.pool.taken[level]!;
  }

  #nodes(level: number): NodePool['leaves'] | NodePool['inners'] {
    return level === this.height ? this.pool.leaves : this.pool.inners;
  }

  #growRoot(): void {
    const { inners } = this.pool;
    const root = inners.allocate();
    inners.size[root] = 1;
    this.#attach(root * inners.capacity, this.root, this.height);
    this.root = root;
    this.height++;
  }

  #lowerRoot(): void {
    const { inners } = this.pool;
    for (; this.height > 0 && inners.size[this.root] === 1; this.height--) {
      const child = inners.child(this.root * inners.capacity);
      inners.free(this.root);
      this.root = child;
    }
  }

  /** The node on this level of the last descent with its nearest siblings. */
  #siblings(level: number): Siblings {
    const { inners, path, taken } = this.pool;
    const { size, capacity } = this.#nodes(level);
    const parent = path[level - 1]!;
    const width = Math.min(WINDOW, inners.size[parent]!);
    const first = Math.max(0, Math.min(taken[level - 1]! - (WINDOW >> 1), inners.size[parent]! - width));
    const slot = parent * inners.capacity + first;
    const members = Array.from({ length: width }, (_, i) => inners.child(slot + i));
    return { parent, first, members, capacity, total: members.reduce((sum, node) => sum + size[node]!, 0) };
  }

  /**
   * How the entries are dealt out when a node is added: evenly, except at either end of the tree, where entries that come
   * in order would leave every node behind as full as it was then: there all but the outermost are filled.
   */
  #splitEnds(level: number, total: number, width: number, usual: number): number[] {
    const each = Math.min(usual, Math.floor((total - 2) / (width - 1)));
    if (this.#isOutermost(level, true))
      return Array.from({ length: width }, (_, i) => (i < width - 1 ? each * (i + 1) : total));
    if (this.#isOutermost(level, false)) return Array.from({ length: width }, (_, i) => total - each * (width - 1 - i));
    return even(total, width);
  }

  /** Whether the last descent took the last (or first) child on every level above this one. */
  #isOutermost(level: number, last: boolean): boolean {
    const { inners, path, taken } = this.pool;
    for (let above = 0; above < level; above++) {
      if (taken[above] !== (last ? inners.size[path[above]!]! - 1 : 0)) return false;
    }
    return true;
  }

  /** Deals the entries of siblings out to as many nodes, one more, or one less: to each up to its end. */
  #spread(level: number, siblings: Siblings, ends: readonly number[]): void {
    const { inners, leaves } = this.pool;
    const { parent, first, members } = siblings;
    const nodes = this.#nodes(level);
    const width = ends.length;
    const after = leaves.next[members.at(-1)!]!;
    const targets = members.slice(0, width);
    if (width > members.length) {
      targets.push(nodes.allocate());
      inners.open(parent, first + members.length);
    }
    nodes.spread(members, targets, ends);
    if (width < members.length) {
      nodes.free(members.at(-1)!);
      inners.close(parent, first + width);
    }
    if (nodes === leaves) leaves.link(targets, after);
    const slot = parent * inners.capacity + first;
    for (let i = 0; i < width; i++) this.#attach(slot + i, targets[i]!, this.height - level);
  }

  /** Writes a child that has `height` levels of inner nodes into its parent's slot. */
  #attach(slot: number, node: number, height: number): void {
    const { leaves, inners } = this.pool;
    inners.setChild(slot, node, height === 0 ? leaves.size[node]! : inners.total(node));
    const leaf = this.edge(node, height, false);
    this.#setSeparator(slot, leaves.rowsOf(leaf)[leaves.offset(leaf)]!);
  }

  #setSeparator(slot: number, row: number): void {
    this.pool.inners.setFirst(slot, { row, key: this.order.key(row), second: this.order.second(row) });
  }

  *#merged(added: KeyedRows, gone: (row: number) => boolean, total: number): Generator<void, KeyedRows> {
    const { leaves } = this.pool;
    const first = this.edge(this.root, this.height, false);
    const narrow = added.keys instanceof Int32Array && leaves.keysOf(first) instanceof Int32Array;
    const merged = { rows: new Int32Array(total), keys: narrow ? new Int32Array(total) : new Float64Array(total) };
    let end = 0;
    let next = 0;
    const append = (row: number, key: number): void => {
      merged.rows[end] = row;
      merged.keys[end++] = key;
    };
    for (let leaf = first, seen = 0; leaf >= 0; leaf = leaves.next[leaf]!) {
      const [rows, keys] = [leaves.rowsOf(leaf), leaves.keysOf(leaf)];
      const start = leaves.offset(leaf);
      for (let at = start; at < start + leaves.size[leaf]!; at++) {
        for (; next < added.rows.length && this.#comesBefore(added, next, rows[at]!, keys[at]!); next++)
          append(added.rows[next]!, added.keys[next]!);
        if (!gone(rows[at]!)) append(rows[at]!, keys[at]!);
      }
      if (++seen % 64 === 0) yield;
    }
    merged.rows.set(added.rows.subarray(next), end);
    merged.keys.set(added.keys.subarray(next), end);
    return merged;
  }

  #comesBefore({ rows, keys }: KeyedRows, at: number, row: number, key: number): boolean {
    const its = keys[at]!;
    return its < key || (its === key && this.order.compare(rows[at]!, row) < 0);
  }

  *#buildLeaves(rows: Int32Array, keys: KeyedRows['keys']): Generator<void, number[]> {
    const { leaves } = this.pool;
    const built: number[] = [];
    let start = 0;
    for (const end of cut(rows.length, leaves.capacity)) {
      const leaf = leaves.allocate();
      leaves.fill(leaf, rows.subarray(start, end), keys.subarray(start, end));
      start = end;
      if (built.length > 0) leaves.next[built.at(-1)!] = leaf;
      if (built.push(leaf) % 64 === 0) yield;
    }
    return built;
  }

  /** Puts inner nodes over the nodes of one level. */
  *#buildInners(below: readonly number[]): Generator<void, number[]> {
    const { inners } = this.pool;
    const built: number[] = [];
    let start = 0;
    for (const end of cut(below.length, inners.capacity)) {
      const node = inners.allocate();
      inners.size[node] = end - start;
      const slot = node * inners.capacity;
      for (let i = 0; start < end; i++, start++) this.#attach(slot + i, below[start]!, this.height);
      if (built.push(node) % 64 === 0) yield;
    }
    return built;
  }

  #freeInners(node: number, height: number): void {
    if (height === 0) return;
    const { inners } = this.pool;
    const base = node * inners.capacity;
    for (let i = 0; height > 1 && i < inners.size[node]!; i++) this.#freeInners(inners.child(base + i), height - 1);
    inners.free(node);
  }
}

/** Entries a node is left free of when there is a choice. */
function slack(capacity: number): number {
  return Math.max(1, capacity >> 4);
}

/** Deals `total` entries out to `parts` evenly: where each part ends. */
function even(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.floor((total * (i + 1)) / parts));
}

/** Deals `total` entries out to as few nodes as leave each its slack. */
function cut(total: number, capacity: number): number[] {
  return even(total, total <= capacity ? 1 : Math.ceil(total / (capacity - slack(capacity))));
}
