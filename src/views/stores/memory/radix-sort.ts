const BITS = 11;
const BUCKETS = 1 << BITS;
const BLOCK = 1 << 15;

/** Rows, and beside each the key it is ordered by. */
export interface KeyedRows {
  readonly rows: Int32Array;
  readonly keys: Int32Array | Float64Array;
}

/** Rows with their keys as bits whose unsigned order is the keys' order: 32 of them where all keys are 32-bit integers, else 64. */
interface Words {
  readonly rows: Int32Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array | null;
}

/**
 * Sorts rows by a numeric key without comparing them: a stable radix sort, 11 bits a pass, least significant first; passes in
 * which all keys agree are left out, and rows that are in order already are not moved. `rows` itself stays as it is. Looks
 * each key up once. Yields every 32,768 rows. No key may be NaN.
 */
export function* sortRows(rows: Int32Array, keyOf: (row: number) => number): Generator<void, KeyedRows> {
  const { keys, ordered, least, narrow } = yield* lookUp(rows, keyOf);
  if (ordered) return { rows, keys };
  let from = narrow ? yield* narrowWords(rows, keys, least) : yield* wideWords(rows, keys);
  let spare: Words | undefined;
  for (const word of ['low', 'high'] as const) {
    for (let shift = 0; shift < 32 && from[word]; shift += BITS) {
      const starts = yield* countDigits(from[word], shift);
      if (!starts) continue;
      const to: Words = spare ?? emptyLike(from);
      yield* deal(from, to, from[word], shift, starts);
      // The caller's rows are read once, and never written.
      spare = from.rows === rows ? undefined : from;
      from = to;
    }
  }
  return { rows: from.rows, keys: narrow ? yield* narrowKeys(from, least) : yield* wideKeys(from) };
}

interface LookedUp {
  readonly keys: Float64Array;
  readonly ordered: boolean;
  readonly least: number;
  /** All of them are 32-bit integers. */
  readonly narrow: boolean;
}

function* lookUp(rows: Int32Array, keyOf: (row: number) => number): Generator<void, LookedUp> {
  const keys = new Float64Array(rows.length);
  let ordered = true;
  let narrow = true;
  let least = Number.POSITIVE_INFINITY;
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    // Turns -0 into 0, which it equals.
    const key = keyOf(rows[i]!) + 0;
    keys[i] = key;
    if (before > key) ordered = false;
    if (key !== (key | 0)) narrow = false;
    if (key < least) least = key;
    before = key;
    if (i % BLOCK === 0) yield;
  }
  return { keys, ordered, least, narrow };
}

function emptyLike({ rows, low }: Words): Words {
  const { length } = rows;
  return { rows: new Int32Array(length), high: new Uint32Array(length), low: low && new Uint32Array(length) };
}

/** Counted from the least of them: keys that lie close together take fewer passes. */
function* narrowWords(rows: Int32Array, keys: Float64Array, least: number): Generator<void, Words> {
  const high = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    high[i] = keys[i]! - least;
    if (i % BLOCK === 0) yield;
  }
  return { rows, high, low: null };
}

function* narrowKeys({ high }: Words, least: number): Generator<void, Int32Array> {
  const keys = new Int32Array(high.buffer);
  for (let i = 0; i < high.length; i++) {
    keys[i] = high[i]! + least;
    if (i % BLOCK === 0) yield;
  }
  return keys;
}

/** Doubles order as their bits do once the sign is flipped, and in negative ones all other bits too (IEEE 754). */
function* wideWords(rows: Int32Array, keys: Float64Array): Generator<void, Words> {
  const high = new Uint32Array(keys.length);
  const low = new Uint32Array(keys.length);
  const words = new Uint32Array(keys.buffer);
  for (let i = 0; i < keys.length; i++) {
    const upper = words[2 * i + 1]!;
    const isNegative = upper >>> 31 === 1;
    high[i] = isNegative ? ~upper : upper ^ 0x8000_0000;
    low[i] = isNegative ? ~words[2 * i]! : words[2 * i]!;
    if (i % BLOCK === 0) yield;
  }
  return { rows, high, low };
}

function* wideKeys({ high, low }: Words): Generator<void, Float64Array> {
  const keys = new Float64Array(high.length);
  const words = new Uint32Array(keys.buffer);
  for (let i = 0; i < high.length; i++) {
    const upper = high[i]!;
    const wasNegative = upper >>> 31 === 0;
    words[2 * i + 1] = wasNegative ? ~upper : upper ^ 0x8000_0000;
    words[2 * i] = wasNegative ? ~low![i]! : low![i]!;
    if (i % BLOCK === 0) yield;
  }
  return keys;
}

/** Where each digit's rows begin; undefined where all rows have the same. */
function* countDigits(words: Uint32Array, shift: number): Generator<void, Int32Array | undefined> {
  const counts = new Int32Array(BUCKETS);
  for (let i = 0; i < words.length; i++) {
    counts[(words[i]! >>> shift) & (BUCKETS - 1)]!++;
    if (i % BLOCK === 0) yield;
  }
  if (counts.includes(words.length)) return undefined;
  let start = 0;
  for (let digit = 0; digit < BUCKETS; digit++) {
    const count = counts[digit]!;
    counts[digit] = start;
    start += count;
  }
  return counts;
}

function* deal(from: Words, to: Words, words: Uint32Array, shift: number, starts: Int32Array): Generator<void> {
  for (let start = 0; start < words.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, words.length);
    for (let i = start; i < end; i++) {
      const at = starts[(words[i]! >>> shift) & (BUCKETS - 1)]!++;
      to.rows[at] = from.rows[i]!;
      to.high[at] = from.high[i]!;
      if (from.low) to.low![at] = from.low[i]!;
    }
    yield;
  }
}
