import type { Bits, CellChanges, Pixels } from '../../bitmap/queries.ts';
import type { CellStates } from './bitmap-audit.ts';
import { ChangeOrder } from './change-order.ts';

/** A bitmap's cells in typed arrays: colour, sequence number and time of each, the bits of those set, their order. */
export class BitmapCells {
  readonly #width: number;
  readonly #height: number;
  readonly #stride: number;
  /** 0 is clear, otherwise the colour + 1. */
  readonly codes: Uint8Array;
  /** 0: there is no row of this cell. */
  readonly sequences: Float64Array;
  readonly times: Float64Array;
  readonly order: ChangeOrder;
  readonly #bits: Uint8Array;
  rows = 0;
  drawn = 0;

  constructor({ width, height }: { readonly width: number; readonly height: number }) {
    this.#width = width;
    this.#height = height;
    this.#stride = Math.ceil(width / 8);
    this.codes = new Uint8Array(width * height);
    this.sequences = new Float64Array(width * height);
    this.times = new Float64Array(width * height);
    this.#bits = new Uint8Array(this.#stride * height);
    this.order = new ChangeOrder({ sequences: this.sequences });
  }

  get bytes(): number {
    const { codes, sequences, times, order } = this;
    return codes.byteLength + sequences.byteLength + times.byteLength + this.#bits.byteLength + order.bytes;
  }

  get sequence(): number {
    const newest = this.order.newest();
    return newest < 0 ? 0 : this.sequences[newest]!;
  }

  /** Gives a cell its state. `ordered` false leaves its place in the order to `order.build`. */
  set(cell: number, state: { code: number; sequence: number; time: number }, ordered = true): void {
    if (this.sequences[cell] === 0) this.rows++;
    const moved = this.sequences[cell] !== state.sequence;
    this.sequences[cell] = state.sequence;
    this.times[cell] = state.time;
    this.#paint(cell, state.code);
    if (ordered && moved) this.order.touch(cell);
  }

  forget(cell: number): void {
    if (this.sequences[cell] === 0) return;
    this.rows--;
    this.sequences[cell] = 0;
    this.times[cell] = 0;
    this.#paint(cell, 0);
    this.order.forget(cell);
  }

  pixels({ x, y, width, height }: { x: number; y: number; width: number; height: number }): Pixels {
    const codes = new Uint8Array(width * height);
    for (let row = 0; row < height; row++) {
      const start = (y + row) * this.#width + x;
      codes.set(this.codes.subarray(start, start + width), row * width);
    }
    return { width, height, codes, sequence: this.sequence };
  }

  states(start: number, count: number): CellStates {
    const { codes, sequences, times } = this;
    const end = start + count;
    return {
      codes: codes.slice(start, end),
      sequences: sequences.slice(start, end),
      times: times.slice(start, end),
    };
  }

  bits(): Bits {
    const newest = this.order.newest();
    const { sequence } = this;
    const time = newest < 0 ? 0 : this.times[newest]!;
    return { width: this.#width, height: this.#height, bits: this.#bits.slice(), sequence, time };
  }

  changes(after: number, limit: number): CellChanges {
    const cells: number[] = [];
    let complete = true;
    this.order.after(after, (cell) => {
      complete = cells.length < limit;
      if (complete) cells.push(cell);
      return complete;
    });
    const last = cells.at(-1);
    return {
      cells: Uint32Array.from(cells),
      codes: Uint8Array.from(cells, (cell) => this.codes[cell]!),
      sequence: last === undefined ? after : this.sequences[last]!,
      complete,
    };
  }

  sequenceAt(time: number): number {
    const cell = this.order.last((each) => this.times[each]! <= time);
    return cell < 0 ? 0 : this.sequences[cell]!;
  }

  #paint(cell: number, code: number): void {
    const before = this.codes[cell]!;
    if (before === code) return;
    this.codes[cell] = code;
    this.drawn += Number(code > 0) - Number(before > 0);
    const y = Math.floor(cell / this.#width);
    const x = cell - y * this.#width;
    const at = y * this.#stride + (x >> 3);
    if (code > 0) this.#bits[at]! |= 128 >> (x & 7);
    else this.#bits[at]! &= ~(128 >> (x & 7));
  }
}
