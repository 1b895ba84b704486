import type { EncodedMessage } from './message.ts';

interface Entry {
  readonly key: string;
  readonly lsn: number;
  readonly message: EncodedMessage;
  readonly bytes: number;
}

/** A message's cost beside its data: object, positions, index. */
const OVERHEAD_BYTES = 200;

/** The last messages of a topic in commit order, bounded in bytes. */
export class EventLog {
  readonly #keepBytes: number;
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  /** Every message after this LSN is here. */
  #floor = 0;
  readonly #last = new Map<string, Entry>();

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes;
  }

  append(key: string, lsn: number, message: EncodedMessage): void {
    const entry = { key, lsn, message, bytes: message.data.length + key.length + OVERHEAD_BYTES };
    this.#entries.push(entry);
    this.#last.set(key, entry);
    this.#bytes += entry.bytes;
    while (this.#bytes > this.#keepBytes && this.#first < this.#entries.length) this.#drop();
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Forgets everything: what comes after `lsn` will be here. */
  restart(lsn: number): void {
    this.#floor = lsn;
    if (this.#entries.length === 0) return;
    this.#entries = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#last.clear();
  }

  /** Whether everything after `lsn` is still here. */
  reaches(lsn: number): boolean {
    return lsn >= this.#floor;
  }

  /** The position of the key's last message, where that is still here. */
  lastOf(key: string): string | null {
    return this.#last.get(key)?.message.position ?? null;
  }

  *after(key: string, lsn: number): Iterable<EncodedMessage> {
    for (let i = this.#indexAfter(lsn); i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.key === key) yield entry.message;
    }
  }

  #drop(): void {
    const entry = this.#entries[this.#first++]!;
    this.#bytes -= entry.bytes;
    this.#floor = entry.lsn;
    if (this.#last.get(entry.key) === entry) this.#last.delete(entry.key);
  }

  /** Index of the first entry after `lsn` (entries are in the order of their LSNs). */
  #indexAfter(lsn: number): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.lsn <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
