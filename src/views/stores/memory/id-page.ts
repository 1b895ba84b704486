/** So many ids to a page. */
export const PAGE_BITS = 14;
export const PAGE = 1 << PAGE_BITS;

/**
 * The row numbers of neighbouring ids. While both go up by one together, as in a table whose ids come from a sequence, the page is
 * a run: four numbers, and a row is told without a look into memory that no cache holds. From the first id that does not fit,
 * it is an array of 4 bytes an id.
 */
export class IdPage {
  /** The run: `#count` ids from `#first` on, and the row of the first. */
  #first = 0;
  #count = 0;
  #row = 0;
  /** Row + 1, or 0. */
  #rows: Int32Array | null = null;

  /** The row of the id in this place of the page, or -1. */
  at(place: number): number {
    if (this.#rows) return this.#rows[place]! - 1;
    const after = place - this.#first;
    return after >= 0 && after < this.#count ? this.#row + after : -1;
  }

  /** Sets the row of an id that has none. */
  set(place: number, row: number): void {
    if (this.#rows) this.#rows[place] = row + 1;
    else if (this.#count === 0) this.#begin(place, row);
    else if (place === this.#first + this.#count && row === this.#row + this.#count) this.#count++;
    else this.#spread()[place] = row + 1;
  }

  /** Removes an id that has a row. */
  remove(place: number): void {
    if (this.#rows) this.#rows[place] = 0;
    else if (place === this.#first + this.#count - 1) this.#count--;
    else if (place === this.#first) this.#shorten();
    else this.#spread()[place] = 0;
  }

  get bytes(): number {
    return 40 + (this.#rows?.byteLength ?? 0);
  }

  #begin(place: number, row: number): void {
    this.#first = place;
    this.#row = row;
    this.#count = 1;
  }

  #shorten(): void {
    this.#first++;
    this.#row++;
    this.#count--;
  }

  #spread(): Int32Array {
    const rows = new Int32Array(PAGE);
    for (let i = 0; i < this.#count; i++) rows[this.#first + i] = this.#row + i + 1;
    this.#rows = rows;
    return rows;
  }
}
