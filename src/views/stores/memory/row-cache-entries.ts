import type { Key, Seen } from '../../lazy.ts';

/** What an entry takes besides its text: itself, its place in the map, its key. Measured on Node 24, rounded up. */
const ENTRY_BYTES = 160;

/** A row that is held, or that there is none (`text` null). */
export interface Entry {
  readonly key: Key;
  text: string | null;
  bytes: number;
  /** By the clock of the cache. */
  expiresAt: number;
  /** What the reading saw that it came from; null once a change came after it. */
  seen: Seen | null;
  /** Neighbours in the order of use; the newest is first. */
  newer: Entry | null;
  older: Entry | null;
}

/** Entries in the order of their use, bounded in bytes: the one not used the longest makes room. */
export class Entries {
  readonly #maxBytes: number;
  #byKey = new Map<Key, Entry>();
  #newest: Entry | null = null;
  #oldest: Entry | null = null;
  bytes = 0;
  evictions = 0;

  constructor({ maxBytes }: { maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: Key): Entry | undefined {
    return this.#byKey.get(key);
  }

  keys(): Iterable<Key> {
    return this.#byKey.keys();
  }

  values(): Iterable<Entry> {
    return this.#byKey.values();
  }

  /** Those not used the longest. */
  unused(limit: number): Entry[] {
    const entries: Entry[] = [];
    for (let entry = this.#oldest; entry && entries.length < limit; entry = entry.newer) entries.push(entry);
    return entries;
  }

  /** Marks as used. */
  use(entry: Entry): void {
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#linkNewest(entry);
  }

  /** Holds a row, as used now. */
  put(row: Pick<Entry, 'key' | 'text' | 'expiresAt' | 'seen'>): void {
    const known = this.#byKey.get(row.key);
    if (known) {
      this.change(known, row);
      this.use(known);
    } else {
      const entry: Entry = { ...row, bytes: sizeOf(row.key, row.text), newer: null, older: null };
      this.#byKey.set(row.key, entry);
      this.#linkNewest(entry);
      this.bytes += entry.bytes;
    }
    this.#makeRoom();
  }

  /** Gives an entry another row, its place in the order of use unchanged. */
  change(entry: Entry, { text, expiresAt, seen }: Pick<Entry, 'text' | 'expiresAt' | 'seen'>): void {
    this.bytes -= entry.bytes;
    entry.text = text;
    entry.expiresAt = expiresAt;
    entry.seen = seen;
    entry.bytes = sizeOf(entry.key, text);
    this.bytes += entry.bytes;
    this.#makeRoom();
  }

  drop(entry: Entry): void {
    this.#byKey.delete(entry.key);
    this.#unlink(entry);
    this.bytes -= entry.bytes;
  }

  clear(): void {
    this.#byKey = new Map();
    this.#newest = null;
    this.#oldest = null;
    this.bytes = 0;
  }

  #makeRoom(): void {
    while (this.bytes > this.#maxBytes && this.#oldest) {
      this.drop(this.#oldest);
      this.evictions++;
    }
  }

  #linkNewest(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = null;
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  #unlink({ newer, older }: Entry): void {
    if (newer) newer.older = older;
    else this.#newest = older;
    if (older) older.newer = newer;
    else this.#oldest = newer;
  }
}

/** At most: a text without a character above U+00FF takes half. */
function sizeOf(key: Key, text: string | null): number {
  const keyBytes = typeof key === 'string' ? key.length * 2 : 8;
  return ENTRY_BYTES + keyBytes + (text === null ? 0 : text.length * 2);
}
