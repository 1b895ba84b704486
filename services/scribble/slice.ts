import { binaryFrame, textFrames } from '../../src/index.ts';
import { pointsFrame, pointText } from './protocol.ts';

interface SliceOptions {
  readonly points: Uint32Array;
  readonly sequence: number;
  /** Of the newest change there is. */
  readonly newest: number;
  readonly complete: boolean;
  readonly position: string;
  isFar(): Promise<boolean>;
}

/** What changed after some number, for all who are behind at the same place: each encoding is made once. */
export class Slice {
  readonly points: Uint32Array;
  readonly sequence: number;
  readonly newest: number;
  readonly complete: boolean;
  readonly #options: SliceOptions;
  #far: Promise<boolean> | undefined;
  #frame: Buffer | undefined;
  #texts: Buffer | undefined;

  constructor(options: SliceOptions) {
    this.points = options.points;
    this.sequence = options.sequence;
    this.newest = options.newest;
    this.complete = options.complete;
    this.#options = options;
  }

  isFar(): Promise<boolean> {
    this.#far ??= this.#options.isFar();
    return this.#far;
  }

  frame(): Buffer {
    this.#frame ??= binaryFrame(pointsFrame(this.#options.position, this.points));
    return this.#frame;
  }

  texts(): Buffer {
    this.#texts ??= textFrames(textsOf(this.points));
    return this.#texts;
  }
}

/** Points as JSON messages. */
export function textsOf(points: Uint32Array): string[] {
  return Array.from(points, (word) => pointText(word & 0xf_ffff, word >>> 20));
}
