import { ClientError } from '../../src/index.ts';

/** Lets costly work be done by a few at a time; some more may wait. */
export class Turns {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(options: { atOnce: number; waiting: number }) {
    this.#atOnce = options.atOnce;
    this.#maxWaiting = options.waiting;
  }

  /** Throws 503 when too many wait. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#atOnce) this.#busy++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting)
      throw new ClientError(503, 'Too many pictures are being made; try again in a moment.', {
        headers: { 'retry-after': '5' },
      });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
