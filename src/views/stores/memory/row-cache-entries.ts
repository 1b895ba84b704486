import type { Key, Seen } from '../../lazy.ts';
import { UseOrder } from './use-order.ts';

/** What an entry takes besides its text: its place in the map and the columns, its key. Measured on Node 24, rounded up. */
const ENTRY_BYTES = 160;
/** A `Map` dies at 2^24 (CORRECTNESS 10). */
const MAX_ENTRIES = 2 ** 24 - 1;

/** A row that is held, or that there is none (`text` null). */
export interface Entry {
  readonly text: string | null;
  /** By the clock of the cache. */
  readonly expiresAt: number;
  /** What the reading saw that it came from; null once a change came after it. */
  readonly seen: Seen | null;
}

/**
 * Entries in the order of their use, bounded in bytes: the one not used the longest makes room. Each has a slot, an integer from
 * 1, and its parts lie in columns by that: what a read touches of a row is then a few bytes close to those of other rows, and
 * nothing for the garbage collector to follow but the text.
 */
export class Entries {
  readonly #maxBytes: number;
  #slots = new Map<Key, number>();
  #order = new UseOrder();
  #keys: Key[] = [0];
  #texts: (string | null)[] = [null];
  #expiresAt: number[] = [0.5];
  #seen: (Seen | null)[] = [null];
  /** Slots without an entry. */
  #free: number[] = [];
  bytes = 0;
  evictions = 0;

  constructor({ maxBytes }: { maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Undefined where the key is not held. */
  slotOf(key: Key): number | undefined {
    return this.#slots.get(key);
  }

  text(slot: number): string | null {
    return this.#texts[slot]!;
  }

  expiresAt(slot: number): number {
    return this.#expiresAt[slot]!;
  }

  seen(slot: number): Seen | null {
    return this.#seen[slot]!;
  }

  keys(): Iterable<Key> {
    return this.#slots.keys();
  }

  /** Those not used the longest. */
  unused(limit: number): number[] {
    const slots: number[] = [];
    for (let slot = this.#order.oldest; slot !== 0 && slots.length < limit; slot = this.#order.newerThan(slot))
      slots.push(slot);
    return slots;
  }

  /** Marks as used. */
  use(slot: number): void {
    this.#order.use(slot);
  }

  /** Holds a row, as used now. */
  put(key: Key, entry: Entry): void {
    const known = this.#slots.get(key);
    const slot = known ?? this.#add(key);
    if (known !== undefined) this.#order.use(known);
    this.change(slot, entry);
  }

  /** Gives a slot another row, its place in the order of use unchanged. */
  change(slot: number, { text, expiresAt, seen }: Entry): void {
    this.bytes += textBytes(text) - textBytes(this.#texts[slot]!);
    this.#texts[slot] = text;
    this.#expiresAt[slot] = expiresAt;
    this.#seen[slot] = seen;
    this.#makeRoom();
  }

  drop(slot: number): void {
    const key = this.#keys[slot]!;
    this.bytes -= ENTRY_BYTES + keyBytes(key) + textBytes(this.#texts[slot]!);
    this.#slots.delete(key);
    this.#order.remove(slot);
    this.#free.push(slot);
    this.#keys[slot] = 0;
    this.#texts[slot] = null;
    this.#seen[slot] = null;
  }

  /** Drops all but those that `keep` picks. */
  retain(keep: (slot: number) => boolean): void {
    for (const slot of [...this.#slots.values()]) if (!keep(slot)) this.drop(slot);
  }

  #add(key: Key): number {
    const slot = this.#free.pop() ?? this.#keys.length;
    this.#slots.set(key, slot);
    this.#order.add(slot);
    this.#keys[slot] = key;
    this.#texts[slot] = null;
    this.bytes += ENTRY_BYTES + keyBytes(key);
    return slot;
  }

  #makeRoom(): void {
    while ((this.bytes > this.#maxBytes || this.size > MAX_ENTRIES) && this.#order.oldest !== 0) {
      this.drop(this.#order.oldest);
      this.evictions++;
    }
  }
}

function keyBytes(key: Key): number {
  return typeof key === 'string' ? key.length * 2 : 8;
}

/** At most: a text without a character above U+00FF takes half. */
function textBytes(text: string | null): number {
  return text === null ? 0 : text.length * 2;
}
