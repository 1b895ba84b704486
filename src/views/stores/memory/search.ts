type Keys = Int32Array | Float64Array;

/**
 * A node is searched forwards, in strides of half a cache line, not by halves: the processor loads the next lines while it
 * waits for the first.
 */
const STRIDE = 8;

/** The first place in [start, end) whose key is at least this one, or `end`. */
export function lowerBound(keys: Keys, start: number, end: number, key: number): number {
  let at = start;
  while (at + STRIDE < end && keys[at + STRIDE]! < key) at += STRIDE;
  while (at < end && keys[at]! < key) at++;
  return at;
}

/** The first place in [start, end) whose key is greater than this one, or `end`. */
export function upperBound(keys: Keys, start: number, end: number, key: number): number {
  let at = start;
  while (at + STRIDE < end && keys[at + STRIDE]! <= key) at += STRIDE;
  while (at < end && keys[at]! <= key) at++;
  return at;
}
