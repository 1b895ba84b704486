import type { Change } from '../../src/index.ts';
import { codeOf, packed } from './protocol.ts';
import type { Cell } from './views.ts';

export const CELLS = 'scribble.cells';

/** The points of one tick, in commit order, as the stream told of them. */
export class Tick {
  readonly #points: number[] = [];
  readonly #sequences: number[] = [];
  /** Of the last point; of the one before the tick while there is none. */
  sequence: number;

  constructor({ after }: { readonly after: number }) {
    this.sequence = after;
  }

  get isEmpty(): boolean {
    return this.#points.length === 0;
  }

  get points(): Uint32Array {
    return Uint32Array.from(this.#points);
  }

<<<<<<< HEAD
  /** Those after a sequence number. */
  pointsAfter(sequence: number): Uint32Array {
    const first = this.#sequences.findIndex((each) => each > sequence);
    return first < 0 ? new Uint32Array() : Uint32Array.from(this.#points.slice(first));
=======
  /** Those with a higher sequence number than `after`, most often all. */
  pointsAfter(after: number): Uint32Array {
    const from = this.#sequences.findIndex((sequence) => sequence > after);
    return from < 0 ? new Uint32Array() : Uint32Array.from(from === 0 ? this.#points : this.#points.slice(from));
>>>>>>> valkey
  }

  /** Takes a change of the cells. False where it is no point: a row is gone, or out of order. */
  take(change: Change): boolean {
    if (change.op === 'delete' || change.op === 'truncate') return false;
    const { index, color, point_id } = change.after as unknown as Cell;
    if (color === undefined || point_id <= this.sequence) return false;
    this.#points.push(packed(index, codeOf(color)));
    this.#sequences.push(point_id);
    this.sequence = point_id;
    return true;
  }
}
