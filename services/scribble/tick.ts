import type { Change } from '../../src/index.ts';
import { codeOf, packed } from './protocol.ts';
import type { Cell } from './views.ts';

export const CELLS = 'scribble.cells';

/** Points in commit order. */
export interface Points {
  /** A cell and its colour's code in one number each, as clients are sent it. */
  readonly words: readonly number[];
  readonly sequences: readonly number[];
}

/** Changes of the cells as points; undefined where one is none: a row is gone, or out of order. */
export function pointsOf(changes: readonly Change[]): Points | undefined {
  const words: number[] = [];
  const sequences: number[] = [];
  let last = 0;
  for (const change of changes) {
    if (change.op === 'delete' || change.op === 'truncate') return undefined;
    const { index, color, point_id } = change.after as unknown as Cell;
    if (color === undefined || point_id <= last) return undefined;
    words.push(packed(index, codeOf(color)));
    sequences.push(point_id);
    last = point_id;
  }
  return { words, sequences };
}

/** The points of one tick, in commit order, as the stream told of them. */
export class Tick {
  readonly #words: number[] = [];
  readonly #sequences: number[] = [];
  /** Of the last point; of the one before the tick while there is none. */
  sequence: number;

  constructor({ after }: { readonly after: number }) {
    this.sequence = after;
  }

  get isEmpty(): boolean {
    return this.#words.length === 0;
  }

  get points(): Uint32Array {
    return Uint32Array.from(this.#words);
  }

  /** Those with a higher sequence number than `after`, most often all. */
  pointsAfter(after: number): Uint32Array {
    const from = this.#sequences.findIndex((sequence) => sequence > after);
    return from < 0 ? new Uint32Array() : Uint32Array.from(from === 0 ? this.#words : this.#words.slice(from));
  }

  /** False where they do not come after those it has. */
  take({ words, sequences }: Points): boolean {
    if (words.length === 0) return true;
    if (sequences[0]! <= this.sequence) return false;
    for (let i = 0; i < words.length; i++) {
      this.#words.push(words[i]!);
      this.#sequences.push(sequences[i]!);
    }
    this.sequence = sequences.at(-1)!;
    return true;
  }
}
