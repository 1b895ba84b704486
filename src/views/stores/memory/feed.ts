import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import type { BetweenQuery, FeedAudit } from '../../feed/audit.ts';
import type { FeedShape } from '../../feed/feed.ts';
import { checkQuery } from '../../feed/limits.ts';
import type { FeedEntry, FeedQuery } from '../../feed/queries.ts';
import type { Drift, MemoryView, ViewStats } from '../../view.ts';
import { NewestRows } from './newest-rows.ts';
import { Profiles, UNKNOWN } from './profiles.ts';

/** Comparisons between two yields. */
const BLOCK = 2048;

/**
 * The `feed` kind in memory: the newest rows, and all profiles. Expired rows stay until the record deletes them; a read passes
 * them over by its own clock. A read that gets to the end of what is held is answered from the record.
 */
export class MemoryFeed implements MemoryView<FeedQuery> {
  readonly #shape: FeedShape;
  readonly #profiles: Profiles;
  #rows: NewestRows;
  /** Ids of rows above the floor that cannot be held as they are: the log did not carry all of them. */
  readonly #aside = new Set<Value>();

  constructor(options: { shape: FeedShape }) {
    this.#shape = options.shape;
    this.#profiles = new Profiles(options.shape.profiles);
    this.#rows = new NewestRows(options.shape);
  }

  load(table: string, rows: readonly Row[]): void {
    const { profiles } = this.#shape;
    if (table === profiles.table) for (const row of rows) this.#profiles.put(row[profiles.id], row);
    if (table !== this.#shape.table) return;
    for (const row of rows)
      if (!this.#hold(row))
        throw new Error(`feed of ${table}: memory cannot hold the row ${row[this.#shape.id]} exactly`);
  }

  async loaded(): Promise<void> {}

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.table.name === this.#shape.table) this.#applyRow(change);
      else if (change.table.name === this.#shape.profiles.table) this.#applyProfile(change);
    }
  }

  answer(query: FeedQuery): FeedEntry[] | undefined;
  answer(query: FeedQuery | FeedAudit): unknown;
  answer(query: FeedQuery | FeedAudit): unknown {
    if (query.ask === 'newest') return this.#newest(query);
    return query.ask === 'between' ? this.#between(query) : this.#profiles.audited(query);
  }

  /** Questions that together tell everything held, each asked at one instant. */
  *audit(): Generator<FeedAudit> {
    const ids = [...this.#rows.ids];
    const { floor } = this.#rows;
    let above = floor === Number.NEGATIVE_INFINITY ? null : floor;
    for (const to of [...ids, null]) {
      yield { ask: 'between', above, to };
      above = to;
    }
    yield* this.#profiles.audit();
  }

  #between({ above, to }: BetweenQuery): readonly Row[] | undefined {
    if (to !== null && to <= this.#rows.floor) return undefined;
    return this.#rows.between(above ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY);
  }

  #newest(query: FeedQuery): FeedEntry[] | undefined {
    checkQuery(query);
    if (this.#aside.size > 0) return undefined;
    const { expires, author } = this.#shape;
    const { limit, now, before } = query;
    const found: FeedEntry[] = [];
    if (limit === 0) return found;
    for (const row of this.#rows.descending(before)) {
      if (row[expires] !== null && (row[expires] as number) <= now) continue;
      const profile = this.#profiles.get(row[author]);
      if (profile === undefined) return undefined;
      if (found.push({ row, profile }) === limit) return found;
    }
    return this.#rows.floor === Number.NEGATIVE_INFINITY ? found : undefined;
  }

  stats(): ViewStats {
    return { entries: this.#rows.size, bytes: this.#rows.size * 600 + this.#profiles.bytes };
  }

  *compare(other: MemoryView<FeedQuery>): Generator<Drift | undefined> {
    if (!(other instanceof MemoryFeed)) throw new Error('a feed compares with a feed only');
    const floor = () => Math.max(this.#rows.floor, other.#rows.floor);
    const rows = (id: number) => (id > floor() ? ([this.#rows.get(id), other.#rows.get(id)] as const) : undefined);
    const profiles = (id: unknown) => [this.#profiles.rows.get(id), other.#profiles.rows.get(id)] as const;
    yield* compareKeys(this.#shape.table, [...this.#rows.ids], rows);
    yield* compareKeys(this.#shape.table, [...other.#rows.ids], (id) => (this.#rows.get(id) ? undefined : rows(id)));
    yield* compareKeys(this.#shape.profiles.table, this.#profiles.rows.keys(), profiles);
    yield* compareKeys(this.#shape.profiles.table, other.#profiles.rows.keys(), (id) =>
      this.#profiles.rows.has(id) ? undefined : profiles(id),
    );
  }

  #applyRow(change: Change): void {
    const { id } = this.#shape;
    if (change.op === 'truncate') {
      this.#rows = new NewestRows(this.#shape);
      this.#aside.clear();
      return;
    }
    const oldId = (change.before ?? change.after)![id];
    this.#aside.delete(oldId);
    if (change.op === 'delete') this.#rows.delete(oldId as number);
    else this.#put(oldId as number, change.after);
  }

  /** The row that had this id is now `after`, possibly under another id. */
  #put(oldId: number, after: Row): void {
    const { id, parent } = this.#shape;
    const newId = after[id] as number;
    const known = this.#rows.get(oldId) ?? this.#rows.get(newId);
    const values = known ? filled(after, known, parent) : after;
    this.#rows.delete(oldId);
    this.#rows.delete(newId);
    this.#aside.delete(newId);
    // A row above the floor that is not held is not on the feed; what the log leaves out is as it was.
    if (!known && oldId > this.#rows.floor && parent !== undefined && after[parent] === undefined) return;
    if (!this.#hold(values)) this.#aside.add(newId);
  }

  /** False where the row cannot be held. */
  #hold(values: Row): boolean {
    const { id, parent, shown } = this.#shape;
    if (!Number.isSafeInteger(values[id])) return false;
    if ((values[id] as number) <= this.#rows.floor) return true;
    if (parent !== undefined && values[parent] === undefined) return false;
    if (parent !== undefined && values[parent] !== null) return true;
    const row: Record<string, Value> = {};
    for (const column of shown) {
      row[column] = values[column];
      if (row[column] === undefined) return false;
    }
    this.#rows.set(values[id] as number, row);
    return true;
  }

  #applyProfile(change: Change): void {
    const { id } = this.#shape.profiles;
    if (change.op === 'truncate') this.#profiles.clear();
    else if (change.op === 'delete') this.#profiles.delete(change.before[id]);
    else this.#profiles.put((change.before ?? change.after)[id], change.after);
  }
}

/** A row with what the log did not carry. What is held is on the feed: its parent is NULL. */
function filled(row: Row, known: Row, parent: string | undefined): Row {
  const values: Record<string, Value> = { ...row };
  for (const column in values)
    if (values[column] === undefined) values[column] = column === parent ? null : known[column];
  return values;
}

type Pair = readonly [inView: Row | typeof UNKNOWN | undefined, inRecord: Row | typeof UNKNOWN | undefined];

/** Each key at one instant, at which both stand at one position. */
function* compareKeys<K>(
  name: string,
  keys: Iterable<K>,
  pairOf: (key: K) => Pair | undefined,
): Generator<Drift | undefined> {
  let compared = 0;
  for (const key of keys) {
    const pair = pairOf(key);
    const [inView, inRecord] = pair?.some((row) => row === UNKNOWN) ? ['', ''] : (pair ?? []).map(text);
    if (inView !== inRecord) yield { what: `${name} ${String(key)}`, inView: inView!, inRecord: inRecord! };
    else if (++compared % BLOCK === 0) yield undefined;
  }
  yield undefined;
}

function text(row: Row | typeof UNKNOWN | undefined): string {
  if (row === undefined) return 'absent';
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}
