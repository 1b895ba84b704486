export interface TokenBucketOptions {
  readonly perSecond: number;
  /** Tokens it holds; two seconds' worth unless told. */
  readonly burst?: number;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
}

/** Limits the rate of one connection. `RateLimit` is the same for many addresses. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor({ perSecond, burst = perSecond * 2, now = () => performance.now() }: TokenBucketOptions) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** Takes `cost` tokens where there are as many; otherwise takes none and returns false. */
  take(cost = 1): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }
}
