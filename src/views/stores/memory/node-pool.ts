/** A leaf's entries, 128 leaves to a chunk: growing never copies them. */
const LEAVES_SHIFT = 7;
const LEAVES = 1 << LEAVES_SHIFT;
/** Siblings that share their entries before a node is added or after one is removed. */
export const WINDOW = 3;

export interface NodePoolOptions {
  /** Entries in a leaf; 128 unless told, at least 4. */
  readonly leafCapacity?: number;
  /** Children of an inner node; 64 unless told, at least 4. */
  readonly innerCapacity?: number;
}

/** What leaves and inner nodes have in common. */
interface Nodes {
  readonly capacity: number;
  size: Int32Array;
  allocate(): number;
  free(node: number): void;
  /** Deals the entries of `from` out to `to`, in order, to each up to its `end`; the two lists may share nodes. */
  spread(from: readonly number[], to: readonly number[], ends: readonly number[]): void;
  readonly bytes: number;
}

/** Leaves: a cached key and a row number an entry. Keys take 4 bytes while all are 32-bit integers, then 8. */
export class Leaves implements Nodes {
  readonly capacity: number;
  size = new Int32Array(16);
  /** The leaf to the right, or -1; of a free leaf, the next free one. */
  next = new Int32Array(16);
  keys: (Int32Array | Float64Array)[] = [];
  rows: Int32Array[] = [];
  #wide = false;
  #count = 0;
  #free = -1;
  readonly #keyScratch: Float64Array;
  readonly #rowScratch: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#keyScratch = new Float64Array(capacity * WINDOW);
    this.#rowScratch = new Int32Array(capacity * WINDOW);
  }

  keysOf(leaf: number): Int32Array | Float64Array {
    return this.keys[leaf >>> LEAVES_SHIFT]!;
  }

  rowsOf(leaf: number): Int32Array {
    return this.rows[leaf >>> LEAVES_SHIFT]!;
  }

  /** Where the leaf's entries begin in its arrays. */
  offset(leaf: number): number {
    return (leaf & (LEAVES - 1)) * this.capacity;
  }

  /** Makes room for a key that is no 32-bit integer. */
  accept(key: number): void {
    if (this.#wide || key === (key | 0)) return;
    this.#wide = true;
    this.keys = this.keys.map((narrow) => new Float64Array(narrow));
  }

  insert(leaf: number, at: number, key: number, row: number): void {
    const keys = this.keysOf(leaf);
    const rows = this.rowsOf(leaf);
    const end = this.offset(leaf) + this.size[leaf]!++;
    keys.copyWithin(at + 1, at, end);
    rows.copyWithin(at + 1, at, end);
    keys[at] = key;
    rows[at] = row;
  }

  /** Fills an empty leaf. */
  fill(leaf: number, rows: Int32Array, keys: Int32Array | Float64Array): void {
    if (keys instanceof Float64Array) for (const key of keys) this.accept(key);
    this.keysOf(leaf).set(keys, this.offset(leaf));
    this.rowsOf(leaf).set(rows, this.offset(leaf));
    this.size[leaf] = rows.length;
  }

  remove(leaf: number, at: number): void {
    const end = this.offset(leaf) + this.size[leaf]!--;
    this.keysOf(leaf).copyWithin(at, at + 1, end);
    this.rowsOf(leaf).copyWithin(at, at + 1, end);
  }

  /** Chains leaves, and the last of them to `after`. */
  link(leaves: readonly number[], after: number): void {
    leaves.forEach((leaf, i) => {
      this.next[leaf] = leaves[i + 1] ?? after;
    });
  }

  allocate(): number {
    let leaf = this.#free;
    if (leaf >= 0) this.#free = this.next[leaf]!;
    else leaf = this.#add();
    this.size[leaf] = 0;
    this.next[leaf] = -1;
    return leaf;
  }

  free(leaf: number): void {
    this.freeAll(leaf, leaf);
  }

  /** Frees all leaves of a tree at once: they are linked already. */
  freeAll(first: number, last: number): void {
    this.next[last] = this.#free;
    this.#free = first;
  }

  spread(from: readonly number[], to: readonly number[], ends: readonly number[]): void {
    let total = 0;
    for (const leaf of from) {
      const start = this.offset(leaf);
      const end = start + this.size[leaf]!;
      this.#keyScratch.set(this.keysOf(leaf).subarray(start, end), total);
      this.#rowScratch.set(this.rowsOf(leaf).subarray(start, end), total);
      total += end - start;
    }
    let start = 0;
    to.forEach((leaf, i) => {
      const end = ends[i]!;
      this.keysOf(leaf).set(this.#keyScratch.subarray(start, end), this.offset(leaf));
      this.rowsOf(leaf).set(this.#rowScratch.subarray(start, end), this.offset(leaf));
      this.size[leaf] = end - start;
      start = end;
    });
  }

  get bytes(): number {
    return this.keys.length * LEAVES * this.capacity * (this.#wide ? 12 : 8) + this.size.length * 8;
  }

  #add(): number {
    const leaf = this.#count++;
    this.size = grown(this.size, this.#count);
    this.next = grown(this.next, this.#count);
    if (leaf >>> LEAVES_SHIFT === this.keys.length) {
      const entries = LEAVES * this.capacity;
      this.keys.push(this.#wide ? new Float64Array(entries) : new Int32Array(entries));
      this.rows.push(new Int32Array(entries));
    }
    return leaf;
  }
}

/**
 * Inner nodes: for each child its number, its first entry (row, key and second key), and how many entries lie in the node up to
 * this child's end. So the entries before a child are one look, not a sum; an entry more or less is counted in all that follow.
 * The keys of a node lie together, for the search; count and child of a slot share 8 bytes, since one follows on the other.
 */
export class Inners implements Nodes {
  readonly capacity: number;
  size = new Int32Array(16);
  /** For searches: one a slot. */
  keys: Float64Array;
  /** Two a slot: entries up to the child's end, child. */
  #links: Int32Array;
  #rows: Int32Array;
  #seconds: Float64Array;
  #used = 0;
  #free: number[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.keys = new Float64Array(16 * capacity);
    this.#links = new Int32Array(2 * 16 * capacity);
    this.#rows = new Int32Array(16 * capacity);
    this.#seconds = new Float64Array(16 * capacity);
  }

  /** Entries of the node up to the end of the child in this slot. */
  upTo(slot: number): number {
    return this.#links[2 * slot]!;
  }

  child(slot: number): number {
    return this.#links[2 * slot + 1]!;
  }

  row(slot: number): number {
    return this.#rows[slot]!;
  }

  second(slot: number): number {
    return this.#seconds[slot]!;
  }

  /** The first entry below a child. */
  setFirst(slot: number, first: { row: number; key: number; second: number }): void {
    this.#rows[slot] = first.row;
    this.keys[slot] = first.key;
    this.#seconds[slot] = first.second;
  }

  /** A child with `count` entries; those in slots before it are there already, those after it are counted as they were. */
  setChild(slot: number, child: number, count: number): void {
    this.#links[2 * slot] = count + (slot % this.capacity === 0 ? 0 : this.upTo(slot - 1));
    this.#links[2 * slot + 1] = child;
  }

  /** The child at `index` has so many entries more (or fewer). */
  addCount(node: number, index: number, difference: number): void {
    const links = this.#links;
    const base = node * this.capacity;
    for (let at = 2 * (base + index), end = 2 * (base + this.size[node]!); at < end; at += 2) links[at]! += difference;
  }

  allocate(): number {
    const node = this.#free.pop() ?? this.#add();
    this.size[node] = 0;
    return node;
  }

  free(node: number): void {
    this.#free.push(node);
  }

  spread(from: readonly number[], to: readonly number[], ends: readonly number[]): void {
    for (const node of from) this.#eachAlone(node);
    this.#spreadField(this.keys, 1, from, to, ends);
    this.#spreadField(this.#links, 2, from, to, ends);
    this.#spreadField(this.#rows, 1, from, to, ends);
    this.#spreadField(this.#seconds, 1, from, to, ends);
    to.forEach((node, i) => {
      this.size[node] = ends[i]! - (ends[i - 1] ?? 0);
      this.#summed(node);
    });
  }

  /** Opens a slot before the child at `index`. */
  open(node: number, index: number): void {
    this.#shift(node, index, index + 1);
    this.size[node]!++;
  }

  /** Closes the slot of the child at `index`. */
  close(node: number, index: number): void {
    this.#shift(node, index + 1, index);
    this.size[node]!--;
  }

  /** Entries below the node. */
  total(node: number): number {
    return this.upTo(node * this.capacity + this.size[node]! - 1);
  }

  get bytes(): number {
    return this.#rows.length * 28 + this.size.length * 4;
  }

  /** Each slot of the node counts its own child alone, until `#summed`. */
  #eachAlone(node: number): void {
    const base = node * this.capacity;
    for (let slot = base + this.size[node]! - 1; slot > base; slot--) this.#links[2 * slot]! -= this.upTo(slot - 1);
  }

  #summed(node: number): void {
    const base = node * this.capacity;
    for (let slot = base + 1; slot < base + this.size[node]!; slot++) this.#links[2 * slot]! += this.upTo(slot - 1);
  }

  /** `width` elements of the field belong to a slot. Through a copy: whole slots, whatever their bits mean. */
  #spreadField<A extends Int32Array | Float64Array>(
    field: A,
    width: number,
    from: readonly number[],
    to: readonly number[],
    ends: readonly number[],
  ): void {
    const slots = from.map((node) => {
      const start = node * this.capacity * width;
      return field.slice(start, start + this.size[node]! * width);
    });
    const all = new (field.constructor as new (length: number) => A)(ends.at(-1)! * width);
    slots.reduce((at, part) => {
      all.set(part, at);
      return at + part.length;
    }, 0);
    to.forEach((node, i) => {
      field.set(all.subarray((ends[i - 1] ?? 0) * width, ends[i]! * width), node * this.capacity * width);
    });
  }

  #shift(node: number, from: number, to: number): void {
    const base = node * this.capacity;
    const end = base + this.size[node]!;
    this.keys.copyWithin(base + to, base + from, end);
    this.#links.copyWithin(2 * (base + to), 2 * (base + from), 2 * end);
    this.#rows.copyWithin(base + to, base + from, end);
    this.#seconds.copyWithin(base + to, base + from, end);
  }

  #add(): number {
    const node = this.#used++;
    this.size = grown(this.size, this.#used);
    const slots = this.size.length * this.capacity;
    this.keys = grown(this.keys, slots);
    this.#links = grown(this.#links, 2 * slots);
    this.#rows = grown(this.#rows, slots);
    this.#seconds = grown(this.#seconds, slots);
    return node;
  }
}

/** The nodes of many trees over rows of one table: what a dropped tree leaves, the next one uses. */
export class NodePool {
  readonly leaves: Leaves;
  readonly inners: Inners;
  /** The way down of the last descent in any of the trees: the node on each level, and the index of the child taken there. */
  readonly path = new Int32Array(32);
  readonly taken = new Int32Array(32);

  constructor(options: NodePoolOptions = {}) {
    this.leaves = new Leaves(options.leafCapacity ?? 128);
    this.inners = new Inners(options.innerCapacity ?? 64);
  }

  get bytes(): number {
    return this.leaves.bytes + this.inners.bytes;
  }
}

/** The array itself while it is long enough, otherwise a copy of twice the length. */
function grown<A extends Int32Array | Float64Array>(array: A, length: number): A {
  if (length <= array.length) return array;
  const longer = new (array.constructor as new (length: number) => A)(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}
