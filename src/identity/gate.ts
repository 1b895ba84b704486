import { ClientError } from '../record/errors.ts';

/** Lets `concurrency` jobs run and `maxQueued` wait, first come, first served. One more is refused: 503. */
export class Gate {
  readonly #concurrency: number;
  readonly #maxQueued: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor({ concurrency, maxQueued }: { concurrency: number; maxQueued: number }) {
    this.#concurrency = concurrency;
    this.#maxQueued = maxQueued;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await job();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#concurrency) {
      this.#running++;
      return;
    }
    if (this.#waiting.size >= this.#maxQueued) {
      throw new ClientError(503, 'Too many sign-ins at once; try again in a few seconds.', {
        headers: { 'retry-after': '5' },
      });
    }
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Hands the place to the next in line, or frees it. */
  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
