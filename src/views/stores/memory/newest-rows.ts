import type { Row } from '../../../record/value.ts';

/** Half as many again are kept before the oldest go, so that they go in bulk. */
const SLACK = 1.5;

/** The rows with the highest ids, in the order of their ids; those at or below `floor` have been let go of. */
export class NewestRows {
  readonly #hold: number;
  readonly #rows = new Map<number, Row>();
  /** Ascending; sorted when it is looked at after rows were added out of order. */
  #ids: number[] = [];
  #sorted = true;
  floor = Number.NEGATIVE_INFINITY;

  constructor(options: { hold: number }) {
    this.#hold = options.hold;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  /** Adds or replaces a row; one at or below the floor is not held. */
  set(id: number, row: Row): void {
    if (id <= this.floor) return;
    if (!this.#rows.has(id)) {
      if (this.#ids.length > 0 && id < this.#ids.at(-1)!) this.#sorted = false;
      this.#ids.push(id);
    }
    this.#rows.set(id, row);
    if (this.#rows.size > this.#hold * SLACK) this.#drop();
  }

  delete(id: number): void {
    if (!this.#rows.delete(id)) return;
    const ids = this.ids;
    ids.splice(lowerBound(ids, id), 1);
  }

  /** The ids held, ascending. */
  get ids(): number[] {
    if (!this.#sorted) this.#ids.sort((a, b) => a - b);
    this.#sorted = true;
    return this.#ids;
  }

  /** The rows from the highest id below `before` down. */
  *descending(before = Number.POSITIVE_INFINITY): Generator<Row> {
    const { ids } = this;
    for (let i = lowerBound(ids, before) - 1; i >= 0; i--) yield this.#rows.get(ids[i]!)!;
  }

  /** Those above one id and up to another, ascending. */
  between(above: number, to: number): Row[] {
    const { ids } = this;
    return ids.slice(lowerBound(ids, above + 1), lowerBound(ids, to + 1)).map((id) => this.#rows.get(id)!);
  }

  #drop(): void {
    const { ids } = this;
    const dropped = ids.splice(0, ids.length - this.#hold);
    for (const id of dropped) this.#rows.delete(id);
    this.floor = dropped.at(-1)!;
  }
}

/** The index of the first id that is not less. */
function lowerBound(ids: readonly number[], id: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
