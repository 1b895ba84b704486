import { sortRows } from './radix-sort.ts';

const FIRST_CAPACITY = 1024;

/**
 * The cells of a bitmap in the order of their newest changes: a log that a change is appended to, in which a cell's older
 * places are passed over, and which is written anew when they are the larger part. Changes come with ascending sequence numbers;
 * where they do not, the log is sorted before it is read.
 */
export class ChangeOrder {
  /** The sequence number of each cell's newest change; 0 for a cell that has none. */
  readonly #sequences: Float64Array;
  /** Of each cell: its newest place in the log + 1, or 0. */
  readonly #places: Uint32Array;
  #cells = new Uint32Array(FIRST_CAPACITY);
  #numbers = new Float64Array(FIRST_CAPACITY);
  #length = 0;
  #live = 0;
  #sorted = true;

  /** `sequences` is the caller's, kept up to date before each call. */
  constructor(options: { sequences: Float64Array }) {
    this.#sequences = options.sequences;
    this.#places = new Uint32Array(options.sequences.length);
  }

  get bytes(): number {
    return this.#places.byteLength + this.#cells.byteLength + this.#numbers.byteLength;
  }

  /** The cell changed; its sequence number is the new one. */
  touch(cell: number): void {
    if (this.#places[cell] === 0) this.#live++;
    this.#makeRoom();
    const last = this.#length - 1;
    const number = this.#sequences[cell]!;
    const follows =
      last < 0 || number > this.#numbers[last]! || (number === this.#numbers[last] && cell >= this.#cells[last]!);
    if (!follows) this.#sorted = false;
    this.#append(cell, number);
  }

  /** The cell has no changes any more. */
  forget(cell: number): void {
    if (this.#places[cell] === 0) return;
    this.#places[cell] = 0;
    this.#live--;
  }

  /** Takes over all cells with a sequence number, in whatever order they came. Yields now and then. */
  *build(): Generator<void> {
    const cells: number[] = [];
    for (let cell = 0; cell < this.#sequences.length; cell++) if (this.#sequences[cell]! > 0) cells.push(cell);
    yield;
    const { rows, keys } = yield* sortRows(Int32Array.from(cells), (cell) => this.#sequences[cell]!);
    this.#places.fill(0);
    this.#length = 0;
    this.#live = rows.length;
    this.#resize(rows.length);
    for (let i = 0; i < rows.length; i++) this.#append(rows[i]!, keys[i]!);
    this.#sorted = true;
  }

  /** The newest cell with a change, or -1. */
  newest(): number {
    return this.last(() => true);
  }

  /** The newest cell that `fits`, or -1. */
  last(fits: (cell: number) => boolean): number {
    this.#sort();
    for (let i = this.#length - 1; i >= 0; i--) {
      const cell = this.#cells[i]!;
      if (this.#places[cell] === i + 1 && fits(cell)) return cell;
    }
    return -1;
  }

  /** Calls `visit` with each cell changed after `sequence`, oldest change first, until it returns false. */
  after(sequence: number, visit: (cell: number) => boolean): void {
    this.#sort();
    for (let i = this.#indexAfter(sequence); i < this.#length; i++) {
      const cell = this.#cells[i]!;
      if (this.#places[cell] === i + 1 && !visit(cell)) return;
    }
  }

  #append(cell: number, number: number): void {
    this.#cells[this.#length] = cell;
    this.#numbers[this.#length] = number;
    this.#places[cell] = ++this.#length;
  }

  #sort(): void {
    if (this.#sorted) return;
    for (const _ of this.build()); // rare: one turn
  }

  #makeRoom(): void {
    if (this.#length < this.#cells.length) return;
    if (this.#live * 2 < this.#length) this.#compact();
    else this.#resize(this.#length * 2);
  }

  #compact(): void {
    const length = this.#length;
    this.#length = 0;
    for (let i = 0; i < length; i++) {
      const cell = this.#cells[i]!;
      if (this.#places[cell] === i + 1) this.#append(cell, this.#numbers[i]!);
    }
  }

  #resize(capacity: number): void {
    const cells = new Uint32Array(Math.max(capacity, FIRST_CAPACITY));
    const numbers = new Float64Array(cells.length);
    cells.set(this.#cells.subarray(0, this.#length));
    numbers.set(this.#numbers.subarray(0, this.#length));
    this.#cells = cells;
    this.#numbers = numbers;
  }

  #indexAfter(sequence: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numbers[middle]! <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
