import { getRandomValues } from 'node:crypto';
import { halfSipHash } from './half-siphash.ts';
import { HashIndex } from './hash-index.ts';

const SHIFT = 15;
const MASK = (1 << SHIFT) - 1;
/** Names begin at every fourth byte, and the place where a name begins, in fours, is its number. */
const ALIGN = 4;
const CHUNK = ALIGN << SHIFT;
/** Marks a number written as text. PostgreSQL's text holds no NUL, so no string is mistaken for one. */
const NUMBER = '\0';

/**
 * Names as integers: the bytes of all names lie in buffers outside the garbage collector's heap, about 9 bytes a name besides
 * its own. A name stays until the table is dropped. Holds 8 GiB of names.
 */
export class Names {
  readonly #index: HashIndex;
  #chunks: Buffer[] = [];
  /** Bytes used in the last chunk. */
  #used = CHUNK;
  readonly #key = getRandomValues(new Int32Array(2));
  /** The name looked for, as its length (LEB128) and its UTF-8 bytes. */
  #probe = Buffer.alloc(256);
  #probeLength = 0;
  readonly #isProbe = (name: number): boolean => {
    const chunk = this.#chunks[name >>> SHIFT]!;
    const probe = this.#probe;
    for (let i = 0, at = (name & MASK) * ALIGN; i < this.#probeLength; i++, at++) {
      if (chunk[at] !== probe[i]) return false;
    }
    return true;
  };

  constructor() {
    this.#index = new HashIndex({ hashOf: (name) => this.#hash(name) });
  }

  /** The number of a name, or -1 where it has none. */
  find(name: string | number): number {
    return this.#index.find(this.#look(name), this.#isProbe);
  }

  /** The number of a name, which it gets now if it has none yet. */
  intern(name: string | number): number {
    const hash = this.#look(name);
    const known = this.#index.find(hash, this.#isProbe);
    if (known >= 0) return known;
    const number = this.#store();
    this.#index.add(hash, number);
    return number;
  }

  get(name: number): string | number {
    const chunk = this.#chunks[name >>> SHIFT]!;
    const [from, to] = textOf(chunk, (name & MASK) * ALIGN);
    return to > from && chunk[from] === 0
      ? Number(chunk.toString('latin1', from + 1, to))
      : chunk.toString('utf8', from, to);
  }

  /** Above every number given out. */
  get top(): number {
    return this.#chunks.length << SHIFT;
  }

  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0) + this.#index.bytes;
  }

  /** Puts the name into the probe and gives its hash. */
  #look(name: string | number): number {
    const text = typeof name === 'string' ? name : NUMBER + name;
    if (!this.#writeAscii(text)) this.#writeUtf8(text);
    return halfSipHash(this.#key, this.#probe, 0, this.#probeLength);
  }

  /** The short way for most names, which are short and plain: false where the text is not. */
  #writeAscii(text: string): boolean {
    const length = text.length;
    if (length > 127) return false;
    const probe = this.#probe;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      probe[i + 1] = code;
    }
    probe[0] = length;
    this.#probeLength = length + 1;
    return true;
  }

  #writeUtf8(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#probe.length < bytes.length + 5) this.#probe = Buffer.alloc(bytes.length + 5);
    let at = 0;
    let rest = bytes.length;
    for (; rest > 127; rest = rest >>> 7) this.#probe[at++] = (rest & 127) | 128;
    this.#probe[at++] = rest;
    bytes.copy(this.#probe, at);
    this.#probeLength = at + bytes.length;
  }

  /** Copies the probe to the end of the buffers. A name that is larger than a chunk has one of its own. */
  #store(): number {
    if (this.#used + this.#probeLength > CHUNK) {
      this.#chunks.push(Buffer.alloc(Math.max(CHUNK, this.#probeLength)));
      this.#used = 0;
    }
    const chunk = this.#chunks.length - 1;
    const start = this.#used;
    this.#probe.copy(this.#chunks[chunk]!, start, 0, this.#probeLength);
    this.#used = Math.ceil((start + this.#probeLength) / ALIGN) * ALIGN;
    return (chunk << SHIFT) + start / ALIGN;
  }

  #hash(name: number): number {
    const chunk = this.#chunks[name >>> SHIFT]!;
    const start = (name & MASK) * ALIGN;
    return halfSipHash(this.#key, chunk, start, textOf(chunk, start)[1]);
  }
}

/** Where the text of the name stored at `at` begins and ends. */
function textOf(chunk: Uint8Array, at: number): readonly [number, number] {
  let length = 0;
  let shift = 0;
  let byte = chunk[at++]!;
  for (; byte > 127; byte = chunk[at++]!, shift += 7) length |= (byte & 127) << shift;
  length |= byte << shift;
  return [at, at + length];
}
