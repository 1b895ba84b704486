import { createHash } from 'node:crypto';
import { type BitmapQuery, bits, formatPosition, nowMicros, type ViewHandle } from '../../src/index.ts';
import { bitPng } from './png.ts';

/** Milliseconds an image is given out for before it is made again. */
const KEEP_MS = 60_000;
/** Microseconds until no other change of the same second can come: clocks differ, and the view follows the record. */
const SETTLED = 10_000_000;

export interface Image {
  readonly png: Buffer;
  /** Of the bytes: the same canvas has the same. */
  readonly etag: string;
  /** Milliseconds since 1970, in whole seconds: when the canvas last changed. Undefined while that is too short ago to tell by it. */
  readonly modifiedAt: number | undefined;
  readonly position: string;
  readonly source: 'view' | 'record';
}

/**
 * The canvas as a 1-bit PNG, made when it is asked for and the last one is a minute old, for all who ask at once. From the view,
 * or from the record while that is built.
 */
export class MinuteImage {
  readonly #view: ViewHandle<BitmapQuery>;
  readonly #now: () => number;
  #made: { readonly image: Promise<Image>; readonly at: number } | undefined;

  /** `now` in milliseconds, from any start. */
  constructor(options: { view: ViewHandle<BitmapQuery>; now?: () => number }) {
    this.#view = options.view;
    this.#now = options.now ?? (() => performance.now());
  }

  get(): Promise<Image> {
    const at = this.#now();
    if (this.#made && at - this.#made.at < KEEP_MS) return this.#made.image;
    const image = this.#make();
    const made = { image, at };
    this.#made = made;
    image.catch(() => {
      if (this.#made === made) this.#made = undefined;
    });
    return image;
  }

  async #make(): Promise<Image> {
    const answer = await this.#view.read([bits()]);
    const [canvas] = answer.results;
    const png = await bitPng(canvas);
    return {
      png,
      etag: `"${createHash('sha256').update(png).digest('base64url').slice(0, 22)}"`,
      modifiedAt: lastModified(canvas.time, nowMicros()),
      position: formatPosition(answer.position),
      source: answer.source,
    };
  }
}

/** The second of a change, in milliseconds; undefined while another change may bear it. Times in microseconds since 1970 UTC. */
export function lastModified(changedAt: number, now: number): number | undefined {
  return changedAt > now - SETTLED ? undefined : Math.floor(changedAt / 1e6) * 1000;
}
