import type { Bests } from './board-window.ts';
import { HashIndex } from './hash-index.ts';
import type { OrderedRows } from './ordered-rows.ts';
import type { RowTable } from './row-table.ts';

const BLOCK = 1 << 15;

/** Of all time: the first of a player's history, which is kept anyway. */
export class BestsOfAll implements Bests {
  readonly #rows: RowTable;
  readonly #histories: OrderedRows;
  readonly bytes = 0;

  constructor(options: { rows: RowTable; histories: OrderedRows }) {
    this.#rows = options.rows;
    this.#histories = options.histories;
  }

  of(player: number): number {
    return this.#histories.firstOf(player);
  }

  put(): void {}

  build(): Iterable<void> {
    return [];
  }

  replace(row: number): number {
    return this.of(this.#rows.player(row));
  }
}

/**
 * Of a month or a day: an index of the players' best rows, about 6 bytes a player. What comes after one that goes is looked
 * for in the player's history, best first, past the games outside the window: a game inserted, which is common, costs no
 * tree of its own in each window, and a best game removed, which is rare, a walk.
 */
export class BestsOfSome implements Bests {
  readonly #rows: RowTable;
  readonly #histories: OrderedRows;
  readonly #holds: (row: number) => boolean;
  readonly #index: HashIndex;
  #probe = 0;
  readonly #isProbe = (row: number): boolean => this.#rows.player(row) === this.#probe;

  /** `holds` says whether a row is in the window. */
  constructor(options: { rows: RowTable; histories: OrderedRows; holds: (row: number) => boolean }) {
    this.#rows = options.rows;
    this.#histories = options.histories;
    this.#holds = options.holds;
    this.#index = new HashIndex({ hashOf: (row) => hashOf(this.#rows.player(row)) });
  }

  of(player: number): number {
    this.#probe = player;
    return this.#index.find(hashOf(player), this.#isProbe);
  }

  put(row: number, former: number): void {
    const hash = hashOf(this.#rows.player(row));
    if (former >= 0) this.#index.remove(hash, former);
    this.#index.add(hash, row);
  }

  *build(rows: Int32Array): Generator<void> {
    this.#index.reserve(rows.length);
    for (let i = 0; i < rows.length; i++) {
      this.#index.add(hashOf(this.#rows.player(rows[i]!)), rows[i]!);
      if (i % BLOCK === BLOCK - 1) yield;
    }
  }

  replace(row: number): number {
    const hash = hashOf(this.#rows.player(row));
    this.#index.remove(hash, row);
    const next = this.#histories.nextOf(row, this.#holds);
    if (next >= 0) this.#index.add(hash, next);
    return next;
  }

  get bytes(): number {
    return this.#index.bytes;
  }
}

/** MurmurHash3's finaliser: players' numbers are places in a buffer, which nobody chooses. */
function hashOf(player: number): number {
  let h = player | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
