/** Eight buckets to a doubling: within 9 % of the truth. */
const PER_DOUBLING = 8;
const BUCKETS = 30 * PER_DOUBLING;

/** Milliseconds; null where nothing was measured. */
export interface Percentiles {
  readonly count: number;
  /** All of them together. */
  readonly total: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** How long things took, in fixed memory. */
export class Latency {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #total = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(1, ms * 1000)) * PER_DOUBLING);
    this.#buckets[Math.min(bucket, BUCKETS - 1)]!++;
    this.#count++;
    this.#total += ms;
  }

  percentiles(): Percentiles {
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => this.#percentile(share));
    return { count: this.#count, total: this.#total, p50: p50 ?? null, p90: p90 ?? null, p99: p99 ?? null };
  }

  #percentile(share: number): number | null {
    let left = this.#count * share;
    if (this.#count === 0) return null;
    const bucket = this.#buckets.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    const micros = 2 ** ((bucket + 0.5) / PER_DOUBLING);
    return Number((micros / 1000).toPrecision(3));
  }
}
