import { BOUNDS } from '../request-histogram.ts';

/** One for each bound and one above. */
export const BUCKETS = BOUNDS.length + 1;

/** Counts a duration in seconds. */
export function count(counts: Float64Array, seconds: number): void {
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
  counts[bucket]! += 1;
}

/** Seconds below which the share `q` of what was counted lies, between two bounds in proportion; NaN where nothing was. */
export function quantile(counts: ArrayLike<number>, q: number): number {
  let total = 0;
  for (let i = 0; i < BUCKETS; i++) total += counts[i]!;
  if (total === 0) return Number.NaN;
  let below = 0;
  for (let i = 0; i < BUCKETS; i++) {
    const here = counts[i]!;
    if (below + here >= q * total && here > 0) {
      const low = i === 0 ? 0 : BOUNDS[i - 1]!;
      const high = BOUNDS[i] ?? low;
      return low + ((q * total - below) / here) * (high - low);
    }
    below += here;
  }
  return BOUNDS.at(-1)!;
}
