import type { Change } from '../../../changes/change.ts';
import type { Commit, Snapshot } from '../../../changes/visibility.ts';
import type { Row } from '../../../record/value.ts';
import { type Expectation, type Key, keyFrom, type LazyView, type RowsRead, type Seen } from '../../lazy.ts';
import type { HeldRowQuery, RowsQuery } from '../../row-cache/queries.ts';
import type { RowCacheShape } from '../../row-cache/row-cache.ts';
import { jsonOf } from '../../row-cache/row-json.ts';
import type { Drift, MemoryView, ViewStats } from '../../view.ts';
import { Entries, type Entry } from './row-cache-entries.ts';
import { type Expected, Touches } from './row-cache-touches.ts';

/** Rows changed last, kept for `keep`: more than are written in the time of one write. */
const RECENT = 1024;
/** Entries looked at in one `expire`: about a millisecond's work. */
const EXPIRED_AT_ONCE = 20_000;
/** Comparisons in a block of `compare`. */
const BLOCK = 2000;

/** A row that is being read. */
interface Pending {
  /** What the reading must see: the last change applied, before or since. */
  expected: Expected;
  /** The row after a change applied since; undefined where it is not known. */
  row: Row | null | undefined;
  arrived: boolean;
  /** What the reading saw, while `row` comes from it: changes that are in it are passed over. */
  seen: Seen | null;
}

/** The `row-cache` kind in memory. See `LazyView` for how a row that is read and its changes come together. */
export class MemoryRowCache implements LazyView<RowsQuery> {
  readonly #shape: RowCacheShape;
  readonly #json: (row: Row) => string;
  readonly #entries: Entries;
  readonly #touches: Touches;
  readonly #pending = new Map<Key, Pending>();
  readonly #recent = new Map<Key, Row | null>();
  /** Of a state to compare with: all that it ever holds. */
  readonly #only: ReadonlySet<Key> | null;
  #lsn = 0;
  #hits = 0;
  #misses = 0;
  #expirations = 0;
  #refusals = 0;

  constructor({ shape, like, maxTouches }: { shape: RowCacheShape; like?: Iterable<Key>; maxTouches?: number }) {
    this.#shape = shape;
    this.#json = jsonOf(shape.columns);
    this.#only = like ? new Set(like) : null;
    this.#entries = new Entries({ maxBytes: like ? Number.POSITIVE_INFINITY : shape.maxBytes });
    this.#touches = new Touches({ lease: shape.lease, ...(maxTouches && { maxKeys: maxTouches }) });
  }

  begins(before: Snapshot): void {
    this.#touches.begins(before);
  }

  keys(): Iterable<Key> {
    return this.#entries.keys();
  }

  /** Only a state to compare with is loaded. */
  load(table: string, rows: readonly Row[]): void {
    if (table !== this.#shape.table) return;
    for (const row of rows) {
      const key = keyFrom(row[this.#shape.id]);
      if (this.#only?.has(key)) this.#put(key, row, null);
    }
  }

  async loaded(): Promise<void> {
    for (const key of this.#only ?? []) if (this.#entries.slotOf(key) === undefined) this.#put(key, null, null);
  }

  apply(changes: readonly Change[], commit: Commit): void {
    const { table, id } = this.#shape;
    this.#lsn = commit.lsn;
    for (const change of changes) {
      if (change.table.name !== table) continue;
      if (change.op === 'truncate') this.#truncate(commit);
      else if (change.op === 'delete') this.#changed(keyFrom(change.before[id]), null, commit);
      else this.#written(change.before, change.after, commit);
    }
  }

  answer(query: RowsQuery): (string | null)[] | undefined;
  answer(query: RowsQuery | HeldRowQuery): unknown;
  answer(query: RowsQuery | HeldRowQuery): unknown {
    return query.ask === 'rows' ? this.#rows(query) : this.#textOf(query.id);
  }

  #textOf(key: Key): string | null | undefined {
    const slot = this.#entries.slotOf(key);
    return slot === undefined ? undefined : this.#entries.text(slot);
  }

  #rows({ ids }: RowsQuery): (string | null)[] | undefined {
    const now = this.#now();
    const slots: number[] = new Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const slot = this.#held(ids[i]!, now);
      if (slot === undefined) return undefined;
      slots[i] = slot;
    }
    const found: (string | null)[] = new Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      found[i] = this.#entries.text(slots[i]!);
      this.#entries.use(slots[i]!);
    }
    this.#hits += ids.length;
    return found;
  }

  peek({ ids }: RowsQuery): (string | null)[] | undefined {
    const now = this.#now();
    const found: (string | null)[] = [];
    for (const id of ids) {
      const slot = this.#held(id, now);
      if (slot === undefined) return undefined;
      found.push(this.#entries.text(slot));
    }
    return found;
  }

  missing(keys: readonly Key[]): Key[] {
    const missing = this.absent(keys);
    this.#misses += missing.length;
    this.#hits += keys.length - missing.length;
    return missing;
  }

  absent(keys: readonly Key[]): Key[] {
    const now = this.#now();
    const absent = keys.filter((key) => this.#held(key, now) === undefined);
    return absent.length > 1 ? [...new Set(absent)] : absent;
  }

  begin(keys: readonly Key[]): void {
    for (const key of keys)
      this.#pending.set(key, { expected: this.#touches.expected(key), row: undefined, arrived: false, seen: null });
  }

  arrived(keys: readonly Key[], { seen, rows }: RowsRead): Key[] {
    this.#touches.forget(seen);
    const refused = keys.filter((key) => !this.#arrivedOne(key, seen, rows.get(key) ?? null));
    this.#refusals += refused.length;
    return refused;
  }

  settle(keys: readonly Key[]): void {
    for (const key of keys) {
      const pending = this.#pending.get(key);
      if (!pending?.arrived) continue;
      this.#pending.delete(key);
      if (pending.row !== undefined) this.#put(key, pending.row, pending.seen);
    }
  }

  abandon(keys: readonly Key[]): void {
    for (const key of keys) this.#pending.delete(key);
  }

  expect(keys: readonly Key[]): Expectation {
    const expected = keys.map((key) => this.#touches.expected(key));
    return {
      isMetBy: (seen) => {
        this.#touches.forget(seen);
        return expected.every((each) => this.#touches.admits(seen, each));
      },
    };
  }

  keep(keys: readonly Key[]): Key[] {
    const now = this.#now();
    const unknown: Key[] = [];
    for (const key of keys) {
      if (this.#held(key, now) !== undefined) continue;
      const row = this.#recent.get(key);
      if (row === undefined) unknown.push(key);
      else this.#put(key, row, null);
    }
    return unknown;
  }

  get unsettled(): number {
    return this.#touches.size;
  }

  forget(seen: Seen): void {
    this.#touches.forget(seen);
  }

  /** Lets go of what is past its time, also where nobody asks for it: of those not used for long, and not all at once. */
  expire(): void {
    const now = this.#now();
    for (const slot of this.#entries.unused(EXPIRED_AT_ONCE))
      if (this.#entries.expiresAt(slot) <= now) this.#expired(slot);
  }

  stats(): ViewStats {
    const { maxBytes, eviction, ttlMs } = this.#shape;
    const { size: entries, bytes, evictions } = this.#entries;
    const counts = { hits: this.#hits, misses: this.#misses, evictions, expirations: this.#expirations };
    return { entries, bytes, cache: { ...counts, refusals: this.#refusals, maxBytes, eviction, ttlMs } };
  }

  *compare(other: MemoryView<RowsQuery>): Iterable<Drift | undefined> {
    if (!(other instanceof MemoryRowCache)) throw new Error('a row cache compares with a row cache only');
    let compared = 0;
    for (const key of [...this.#entries.keys()]) {
      const drift = this.#difference(key, other);
      if (drift || ++compared % BLOCK === 0) yield drift;
    }
  }

  /** What is held by only one of the two is no drift: a cache holds what it was asked for. */
  #difference(key: Key, other: MemoryRowCache): Drift | undefined {
    const [here, there] = [this.#entries.slotOf(key), other.#entries.slotOf(key)];
    if (here === undefined || there === undefined) return undefined;
    const [inView, inRecord] = [this.#entries.text(here), other.#entries.text(there)];
    if (inView === inRecord || this.#isAhead(this.#entries.seen(here))) return undefined;
    return { what: `${this.#shape.table} ${key}`, inView: inView ?? 'no row', inRecord: inRecord ?? 'no row' };
  }

  /** Read with an asynchronous commit in it that the log has not shown yet. */
  #isAhead(seen: Seen | null): boolean {
    return seen !== null && seen.end > this.#lsn;
  }

  /** The clock, where it matters. */
  #now(): number {
    const { ttlMs, absentTtlMs, clock } = this.#shape;
    return ttlMs === Number.POSITIVE_INFINITY && absentTtlMs === Number.POSITIVE_INFINITY ? 0 : clock();
  }

  #held(key: Key, now: number): number | undefined {
    const slot = this.#entries.slotOf(key);
    if (slot === undefined || this.#entries.expiresAt(slot) > now) return slot;
    this.#expired(slot);
    return undefined;
  }

  #expired(slot: number): void {
    this.#expirations++;
    this.#entries.drop(slot);
  }

  #put(key: Key, row: Row | null, seen: Seen | null): void {
    this.#entries.put(key, { seen, ...this.#valueOf(row) });
  }

  #valueOf(row: Row | null): Pick<Entry, 'text' | 'expiresAt'> {
    const { ttlMs, absentTtlMs, clock } = this.#shape;
    const ttl = this.#only ? Number.POSITIVE_INFINITY : row ? ttlMs : absentTtlMs;
    return { text: row ? this.#json(row) : null, expiresAt: ttl === Number.POSITIVE_INFINITY ? ttl : clock() + ttl };
  }

  #arrivedOne(key: Key, seen: Seen, row: Row | null): boolean {
    const pending = this.#pending.get(key);
    if (!pending) return true; // given up meanwhile
    const isNewer = this.#touches.admits(seen, pending.expected);
    if (!isNewer && pending.row === undefined) return false;
    pending.arrived = true;
    if (isNewer) Object.assign(pending, { row, seen });
    return true;
  }

  #written(before: Row | null, after: Row, commit: Commit): void {
    const { id, columns } = this.#shape;
    const key = keyFrom(after[id]);
    const oldKey = before?.[id];
    if (oldKey !== undefined && oldKey !== null && oldKey !== key) this.#changed(keyFrom(oldKey), null, commit);
    // A large value that was left untouched is not in the log: the row is read again when somebody wants it (CORRECTNESS 6).
    const whole = columns.every((column) => after[column] !== undefined);
    this.#changed(key, whole ? after : undefined, commit);
  }

  #changed(key: Key, row: Row | null | undefined, commit: Commit): void {
    this.#touches.note(key, commit);
    this.#noteRecent(key, row);
    this.#changePending(key, row, commit);
    const slot = this.#entries.slotOf(key);
    if (slot === undefined || this.#includes(this.#entries.seen(slot), commit)) return;
    if (row === undefined) this.#entries.drop(slot);
    else this.#entries.change(slot, { seen: null, ...this.#valueOf(row) });
  }

  #changePending(key: Key, row: Row | null | undefined, commit: Commit): void {
    const pending = this.#pending.get(key);
    if (!pending || this.#includes(pending.seen, commit)) return;
    pending.expected = { ...pending.expected, commit };
    pending.row = row;
    pending.seen = null;
  }

  #includes(seen: Seen | null, commit: Commit): boolean {
    return seen !== null && commit.lsn <= seen.end && this.#shape.lease.includes(seen, commit);
  }

  #noteRecent(key: Key, row: Row | null | undefined): void {
    this.#recent.delete(key);
    if (row === undefined || this.#only) return;
    this.#recent.set(key, row);
    if (this.#recent.size <= RECENT) return;
    const [oldest] = this.#recent.keys();
    this.#recent.delete(oldest!);
  }

  /** What a reading that saw it found afterwards stays; everything else is gone. */
  #truncate(commit: Commit): void {
    this.#touches.noteAll(commit);
    this.#recent.clear();
    for (const key of this.#pending.keys()) this.#changePending(key, null, commit);
    this.#entries.retain((slot) => this.#includes(this.#entries.seen(slot), commit));
    for (const key of this.#only ?? []) this.#put(key, null, null);
  }
}
