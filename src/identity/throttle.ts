import { ClientError } from '../record/errors.ts';
import { MICROS_PER_SECOND } from '../record/time.ts';

export interface ThrottleOptions {
  /** Attempts at once. */
  readonly burst: number;
  /** Then one in so many seconds. */
  readonly everySeconds: number;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
  /** Keys remembered; the least recently used are forgotten first. 50,000 unless told. */
  readonly maxKeys?: number;
}

/**
 * Attempts per key, in memory: a leaky bucket, kept as the one time at which it is empty again (GCRA, ITU-T I.371).
 * Each process counts for itself.
 */
export class Throttle {
  readonly #interval: number;
  readonly #capacity: number;
  readonly #clock: () => number;
  readonly #maxKeys: number;
  readonly #emptyAt = new Map<string, number>();

  constructor({ burst, everySeconds, clock, maxKeys = 50_000 }: ThrottleOptions) {
    this.#interval = everySeconds * MICROS_PER_SECOND;
    this.#capacity = burst * this.#interval;
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#emptyAt.size;
  }

  /** Throws 429 with `Retry-After` when no attempt is left. */
  check(key: string): void {
    const now = this.#clock();
    const wait = (this.#emptyAt.get(key) ?? now) + this.#interval - now - this.#capacity;
    if (wait <= 0) return;
    const seconds = Math.ceil(wait / MICROS_PER_SECOND);
    throw new ClientError(429, `Too many attempts; try again in ${seconds} s.`, {
      headers: { 'retry-after': String(seconds) },
    });
  }

  /** Uses up one attempt. */
  count(key: string): void {
    const now = this.#clock();
    const emptyAt = Math.max(this.#emptyAt.get(key) ?? now, now) + this.#interval;
    this.#emptyAt.delete(key);
    this.#emptyAt.set(key, emptyAt);
    if (this.#emptyAt.size > this.#maxKeys) this.#forgetOldest();
  }

  /** Gives back one that was counted. */
  giveBack(key: string): void {
    const emptyAt = this.#emptyAt.get(key);
    if (emptyAt === undefined) return;
    if (emptyAt - this.#interval <= this.#clock()) this.#emptyAt.delete(key);
    else this.#emptyAt.set(key, emptyAt - this.#interval);
  }

  #forgetOldest(): void {
    for (const key of this.#emptyAt.keys()) {
      this.#emptyAt.delete(key);
      return;
    }
  }
}
