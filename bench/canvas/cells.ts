/** Cells in a piece: what is drawn lies close together, and thousands of clients have one each. */
const SHIFT = 13;
const PIECE = 1 << SHIFT;

/** Which cells are set, one bit each, in pieces that are made when they are first drawn on. */
export class Cells {
  readonly #pieces: (Uint8Array | undefined)[] = [];

  set(cell: number): void {
    this.#pieces[cell >>> SHIFT] ??= new Uint8Array(PIECE >>> 3);
    this.#pieces[cell >>> SHIFT]![(cell & (PIECE - 1)) >>> 3]! |= 1 << (cell & 7);
  }

  clear(cell: number): void {
    const piece = this.#pieces[cell >>> SHIFT];
    if (piece) piece[(cell & (PIECE - 1)) >>> 3]! &= ~(1 << (cell & 7));
  }

  /** Whether exactly the same cells are set. */
  equals(other: Cells): boolean {
    const pieces = Math.max(this.#pieces.length, other.#pieces.length);
    for (let i = 0; i < pieces; i++)
      if (Buffer.compare(this.#pieces[i] ?? EMPTY, other.#pieces[i] ?? EMPTY) !== 0) return false;
    return true;
  }
}

const EMPTY = new Uint8Array(PIECE >>> 3);
