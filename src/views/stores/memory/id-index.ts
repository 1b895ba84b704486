import { HashIndex } from './hash-index.ts';
import { IdPage, PAGE, PAGE_BITS } from './id-page.ts';

const MASK = PAGE - 1;

/**
 * Row numbers by id (safe integers). Ids from a sequence lie close together: a range of pages, indexed by the id itself,
 * holds them at 4 bytes an id or next to nothing, without hashing. Ids apart from the range are hashed.
 */
export class IdIndex {
  readonly #idOf: (row: number) => number;
  readonly #hash: HashIndex;
  #probe = 0;
  readonly #isProbe = (row: number): boolean => this.#idOf(row) === this.#probe;
  readonly #pages: IdPage[] = [];
  /** The id of the first page's first slot. */
  #base = 0;
  #inPages = 0;

  constructor(options: { idOf: (row: number) => number }) {
    this.#idOf = options.idOf;
    this.#hash = new HashIndex({ hashOf: (row) => hashOf(options.idOf(row)) });
  }

  /** The row of an id, or -1. */
  find(id: number): number {
    const page = this.#page(id);
    if (page) {
      const row = page.at((id - this.#base) & MASK);
      if (row >= 0) return row;
    }
    if (this.#hash.size === 0) return -1;
    this.#probe = id;
    return this.#hash.find(hashOf(id), this.#isProbe);
  }

  /** Adds an id that is not in it. */
  add(id: number, row: number): void {
    const page = this.#page(id) ?? this.#extend(id);
    if (page) {
      page.set((id - this.#base) & MASK, row);
      this.#inPages++;
    } else this.#hash.add(hashOf(id), row);
  }

  /** Removes an id that is in it. The row must still tell its id. */
  remove(id: number): void {
    const page = this.#page(id);
    const place = (id - this.#base) & MASK;
    if (page && page.at(place) >= 0) {
      page.remove(place);
      this.#inPages--;
    } else this.#hash.remove(hashOf(id), this.find(id));
  }

  /** Before the first id: about `count` will come from `least` to `greatest`. Lays out the range where they lie close enough. */
  reserve(count: number, least: number, greatest: number): void {
    if (greatest - least > count * 2) return;
    this.#base = pageStart(least);
    while (this.#end <= greatest) this.#pages.push(new IdPage());
  }

  get bytes(): number {
    return this.#pages.reduce((sum, page) => sum + page.bytes, this.#hash.bytes);
  }

  get #end(): number {
    return this.#base + this.#pages.length * PAGE;
  }

  #page(id: number): IdPage | undefined {
    const offset = id - this.#base;
    return offset >= 0 && offset < this.#pages.length * PAGE ? this.#pages[offset >>> PAGE_BITS] : undefined;
  }

  /** The range grows by a page at its end, while at least half of it is used. */
  #extend(id: number): IdPage | undefined {
    if (this.#pages.length === 0) this.#base = pageStart(id);
    else if (id < this.#end || id >= this.#end + PAGE || this.#inPages * 2 < this.#pages.length * PAGE)
      return undefined;
    this.#pages.push(new IdPage());
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
