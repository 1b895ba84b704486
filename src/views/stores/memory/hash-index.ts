const SEGMENT = 2048;
/** Linear probing stays short up to here. */
const FULL = 0.8;
/** How full segments are on average at most when they are made at once: chance fills some of them more. */
const ROOMY = 0.7;
/** Segments are told apart by at most so many of the hash's upper bits; beyond, a segment grows instead. */
const MAX_DEPTH = 20;

interface Segment {
  /** Value + 1, or 0 for a free slot. */
  slots: Int32Array;
  used: number;
  /** How many of the hash's upper bits all its values share. */
  depth: number;
}

/**
 * A set of non-negative integers, found by a 32-bit hash: open addressing in segments, which split one at a time (extendible
 * hashing), so that growing at ten million entries costs microseconds, not a pause. About 6 bytes an entry.
 * What a value means, its key and its hash, is the owner's.
 */
export class HashIndex {
  readonly #hashOf: (value: number) => number;
  #directory: Segment[] = [newSegment(0)];
  #depth = 0;
  #segments = SEGMENT;
  size = 0;

  constructor(options: { hashOf: (value: number) => number }) {
    this.#hashOf = options.hashOf;
  }

  /** The value with this hash that `matches`, or -1. */
  find(hash: number, matches: (value: number) => boolean): number {
    const { slots } = this.#segmentOf(hash);
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const value = slots[slot]! - 1;
      if (matches(value)) return value;
    }
    return -1;
  }

  /** Adds a value that is not in it. */
  add(hash: number, value: number): void {
    let segment = this.#segmentOf(hash);
    while (segment.used >= segment.slots.length * FULL) {
      this.#split(segment, hash);
      segment = this.#segmentOf(hash);
    }
    put(segment, hash, value);
    this.size++;
  }

  /** Before the first value: about so many will come. As many segments as they would have split into, without splitting. */
  reserve(values: number): void {
    while (this.#depth < MAX_DEPTH && values > SEGMENT * ROOMY * 2 ** this.#depth) this.#depth++;
    this.#directory = Array.from({ length: 2 ** this.#depth }, () => newSegment(this.#depth));
    this.#segments = this.#directory.length * SEGMENT;
  }

  /** Removes a value that is in it. */
  remove(hash: number, value: number): void {
    const segment = this.#segmentOf(hash);
    const { slots } = segment;
    const mask = slots.length - 1;
    let free = hash & mask;
    while (slots[free] !== value + 1) free = (free + 1) & mask;
    // Closes the gap: whoever was pushed past it by a collision moves back (Knuth 6.4, algorithm R).
    for (let slot = (free + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashOf(slots[slot]! - 1) & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      slots[free] = slots[slot]!;
      free = slot;
    }
    slots[free] = 0;
    segment.used--;
    this.size--;
  }

  get bytes(): number {
    return this.#segments * 4 + this.#directory.length * 8;
  }

  #segmentOf(hash: number): Segment {
    // A shift by 32 is a shift by 0.
    return this.#directory[this.#depth === 0 ? 0 : hash >>> (32 - this.#depth)]!;
  }

  #split(segment: Segment, hash: number): void {
    if (segment.depth === MAX_DEPTH) {
      this.#widen(segment);
      return;
    }
    if (segment.depth === this.#depth) this.#doubleDirectory();
    const depth = segment.depth + 1;
    const halves = [newSegment(depth), newSegment(depth)] as const;
    for (const stored of segment.slots) {
      if (stored === 0) continue;
      const itsHash = this.#hashOf(stored - 1);
      put(halves[(itsHash >>> (32 - depth)) & 1]!, itsHash, stored - 1);
    }
    const width = 1 << (this.#depth - depth);
    const first = segment.depth === 0 ? 0 : (hash >>> (32 - segment.depth)) * width * 2;
    this.#directory.fill(halves[0], first, first + width).fill(halves[1], first + width, first + 2 * width);
    this.#segments += SEGMENT;
  }

  #widen(segment: Segment): void {
    const old = segment.slots;
    segment.slots = new Int32Array(old.length * 2);
    segment.used = 0;
    this.#segments += old.length;
    for (const stored of old) if (stored !== 0) put(segment, this.#hashOf(stored - 1), stored - 1);
  }

  #doubleDirectory(): void {
    this.#directory = this.#directory.flatMap((segment) => [segment, segment]);
    this.#depth++;
  }
}

function newSegment(depth: number): Segment {
  return { slots: new Int32Array(SEGMENT), used: 0, depth };
}

function put(segment: Segment, hash: number, value: number): void {
  const { slots } = segment;
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = value + 1;
  segment.used++;
}
