const BITS = 11;
const BUCKETS = 1 << BITS;
const BLOCK = 1 << 15;

/** Rows with the key each is sorted by, as 64 bits whose unsigned order is the keys' order. */
interface Sorted {
  readonly rows: Int32Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/**
 * Sorts rows by a numeric key in place of comparing them: a stable radix sort, 11 bits a pass, least significant first; passes
 * in which all keys agree are left out, and rows that are in order already are left alone. Returns the sorted rows, which
 * may be `rows` itself. Yields every 32,768 rows. No key may be NaN.
 */
export function* sortRows(rows: Int32Array, keyOf: (row: number) => number): Generator<void, Int32Array> {
  const keyed = yield* withKeys(rows, keyOf);
  if (!keyed) return rows;
  let from = keyed;
  let to: Sorted = { ...emptyLike(from) };
  for (const [word, shift] of DIGITS) {
    const starts = yield* countDigits(from[word], shift);
    if (!starts) continue;
    yield* deal(from, to, from[word], shift, starts);
    [from, to] = [to, from];
  }
  return from.rows;
}

const DIGITS = [
  ['low', 0],
  ['low', 11],
  ['low', 22],
  ['high', 0],
  ['high', 11],
  ['high', 22],
] as const;

function emptyLike({ rows }: Sorted): Sorted {
  const { length } = rows;
  return { rows: new Int32Array(length), high: new Uint32Array(length), low: new Uint32Array(length) };
}

/** The rows with their keys; undefined where they are in order. Sorts a copy: `rows` stays as it is. */
function* withKeys(rows: Int32Array, keyOf: (row: number) => number): Generator<void, Sorted | undefined> {
  const keys = new Float64Array(rows.length);
  let ordered = true;
  let narrow = true;
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    const key = keyOf(rows[i]!);
    keys[i] = key;
    ordered &&= before <= key;
    narrow &&= key === (key | 0);
    before = key;
    if (i % BLOCK === 0) yield;
  }
  if (ordered) return undefined;
  const sorted = { ...emptyLike({ rows } as Sorted), rows: rows.slice() };
  yield* narrow ? narrowWords(keys, sorted) : wideWords(keys, sorted);
  return sorted;
}

/** 32-bit integers: the low words stay 0, and their passes are left out. */
function* narrowWords(keys: Float64Array, { high }: Sorted): Generator<void> {
  for (let i = 0; i < keys.length; i++) {
    high[i] = (keys[i]! | 0) ^ 0x8000_0000;
    if (i % BLOCK === 0) yield;
  }
}

/** Doubles order as their bits do once the sign is flipped, and in negative ones all bits (IEEE 754). */
function* wideWords(keys: Float64Array, { high, low }: Sorted): Generator<void> {
  const words = new Uint32Array(keys.buffer);
  for (let i = 0; i < keys.length; i++) {
    // -0 equals 0.
    if (keys[i] === 0) keys[i] = 0;
    const upper = words[2 * i + 1]!;
    const negative = upper >>> 31;
    high[i] = negative ? ~upper : upper ^ 0x8000_0000;
    low[i] = negative ? ~words[2 * i]! : words[2 * i]!;
    if (i % BLOCK === 0) yield;
  }
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

function* deal(from: Sorted, to: Sorted, words: Uint32Array, shift: number, starts: Int32Array): Generator<void> {
  for (let start = 0; start < words.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, words.length);
    for (let i = start; i < end; i++) {
      const at = starts[(words[i]! >>> shift) & (BUCKETS - 1)]!++;
      to.rows[at] = from.rows[i]!;
      to.high[at] = from.high[i]!;
      to.low[at] = from.low[i]!;
    }
    yield;
  }
}
