/** Of an odd number of values the middle one, otherwise the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of the rounds' ratios: what disturbs the machine for a while disturbs both sides of a round alike. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, round) => value / b[round]!));
}

/** `25,700`; `0.31` below a hundred. */
export function number(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** `25,700 (24,100 - 26,000)`: the median and the extremes. */
export function spread(values: readonly number[]): string {
  if (values.length === 1) return number(values[0]!);
  return `${number(median(values))} (${number(Math.min(...values))} - ${number(Math.max(...values))})`;
}

/** Of ascending values the one below which `share` of them lie; 1 gives the last. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
