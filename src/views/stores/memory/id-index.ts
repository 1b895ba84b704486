import { HashIndex } from './hash-index.ts';

const SHIFT = 16;
const PAGE = 1 << SHIFT;
const MASK = PAGE - 1;

/**
 * Row numbers by id (safe integers). Ids from a sequence lie close together: a run of pages, indexed by the id itself,
 * holds them at 4 bytes an id, without hashing. Ids apart from the run are hashed.
 */
export class IdIndex {
  readonly #idOf: (row: number) => number;
  readonly #hash: HashIndex;
  #probe = 0;
  readonly #isProbe = (row: number): boolean => this.#idOf(row) === this.#probe;
  /** Row + 1, or 0. */
  #pages: Int32Array[] = [];
  /** The id of the first page's first slot. */
  #base = 0;
  #inRun = 0;

  constructor(options: { idOf: (row: number) => number }) {
    this.#idOf = options.idOf;
    this.#hash = new HashIndex({ hashOf: (row) => hashOf(options.idOf(row)) });
  }

  /** The row of an id, or -1. */
  find(id: number): number {
    const page = this.#page(id);
    if (page) {
      const row = page[(id - this.#base) & MASK]!;
      if (row > 0) return row - 1;
    }
    if (this.#hash.size === 0) return -1;
    this.#probe = id;
    return this.#hash.find(hashOf(id), this.#isProbe);
  }

  /** Adds an id that is not in it. */
  add(id: number, row: number): void {
    const page = this.#page(id) ?? this.#extend(id);
    if (page) {
      page[(id - this.#base) & MASK] = row + 1;
      this.#inRun++;
    } else this.#hash.add(hashOf(id), row);
  }

  /** Removes an id that is in it. The row must still tell its id. */
  remove(id: number): void {
    const page = this.#page(id);
    const slot = (id - this.#base) & MASK;
    if (page?.[slot]) {
      page[slot] = 0;
      this.#inRun--;
    } else this.#hash.remove(hashOf(id), this.find(id));
  }

  /** Before the first id: about `count` will come from `least` to `greatest`. Lays out the run where they lie close enough. */
  reserve(count: number, least: number, greatest: number): void {
    if (greatest - least > count * 2) return;
    this.#base = pageStart(least);
    while (this.#end <= greatest) this.#pages.push(new Int32Array(PAGE));
  }

  get bytes(): number {
    return this.#pages.length * PAGE * 4 + this.#hash.bytes;
  }

  get #end(): number {
    return this.#base + this.#pages.length * PAGE;
  }

  #page(id: number): Int32Array | undefined {
    const offset = id - this.#base;
    return offset >= 0 && offset < this.#pages.length * PAGE ? this.#pages[offset >>> SHIFT] : undefined;
  }

  /** The run grows by a page at its end, while at least half of it is used. */
  #extend(id: number): Int32Array | undefined {
    if (this.#pages.length === 0) this.#base = pageStart(id);
    else if (id < this.#end || id >= this.#end + PAGE || this.#inRun * 2 < this.#pages.length * PAGE) return undefined;
    this.#pages.push(new Int32Array(PAGE));
    return this.#pages.at(-1);
  }
}

function pageStart(id: number): number {
  return Math.floor(id / PAGE) * PAGE;
}

/** MurmurHash3's finaliser over both halves: ids are not chosen by users, so it needs no key. */
function hashOf(id: number): number {
  let h = (id | 0) ^ Math.imul(Math.floor(id / 0x1_0000_0000) | 0, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
