import type { Change } from '../../src/index.ts';
import { codeOf, packed } from './protocol.ts';
import type { Cell } from './views.ts';

export const CELLS = 'scribble.cells';

/** Points in commit order, at least one. */
export interface Points {
  /** A cell and its colour's code in one number each, as clients are sent it. */
  readonly words: Uint32Array;
  readonly sequences: Float64Array;
}

/** Changes of the cells as points; undefined where one is none: a row is gone, or out of order. */
export function pointsOf(changes: readonly Change[]): Points | undefined {
  const words = new Uint32Array(changes.length);
  const sequences = new Float64Array(changes.length);
  for (const [i, change] of changes.entries()) {
    if (change.op === 'delete' || change.op === 'truncate') return undefined;
    const { index, color, point_id } = change.after as unknown as Cell;
    if (color === undefined || point_id <= (sequences[i - 1] ?? 0)) return undefined;
    words[i] = packed(index, codeOf(color));
    sequences[i] = point_id;
  }
  return { words, sequences };
}

/** The points of one tick, in commit order, as the stream told of them. It shares them with the ticks of other clients. */
export class Tick {
  readonly #taken: Points[] = [];
  /** Of the last point; of the one before the tick while there is none. */
  sequence: number;

  constructor({ after }: { readonly after: number }) {
    this.sequence = after;
  }

  get isEmpty(): boolean {
    return this.#taken.length === 0;
  }

  get points(): Uint32Array {
    return joined(this.#taken.map(({ words }) => words));
  }

  /** Those with a higher sequence number than `after`, most often all. */
  pointsAfter(after: number): Uint32Array {
    return joined(
      this.#taken.map(({ words, sequences }) => {
        const from = sequences.findIndex((sequence) => sequence > after);
        return from < 0 ? words.subarray(0, 0) : words.subarray(from);
      }),
    );
  }

  /** False where they do not come after those it has. */
  take(points: Points): boolean {
    if (points.sequences[0]! <= this.sequence) return false;
    this.#taken.push(points);
    this.sequence = points.sequences.at(-1)!;
    return true;
  }
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
