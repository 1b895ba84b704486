import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import type { FeedAudit } from '../../feed/audit.ts';
import type { FeedShape } from '../../feed/feed.ts';
import { checkQuery } from '../../feed/limits.ts';
import type { FeedEntry, FeedQuery } from '../../feed/queries.ts';
import type { BucketOperation, Operation, StoredKind, StoredRead } from '../../stored.ts';
import type { MemoryView } from '../../view.ts';
import type { MemoryFeed } from '../memory/feed.ts';
import { placeOf } from './place.ts';
import { StoredProfiles } from './profiles.ts';
import { rowFrom, rowText, valueText } from './row-text.ts';
import { inOneBucket, script } from './script.ts';

type Question = FeedQuery | FeedAudit;

/**
 * The `feed` kind in Valkey or Redis: the newest rows and all profiles, in one bucket. Holds what the memory kind holds, but for
 * where its floor lies: changes that are applied once more may raise it.
 */
export class StoredFeed implements StoredKind<FeedQuery> {
  readonly buckets = 1;
  readonly partial = true;
  readonly script: string;
  readonly shape: string;
  readonly #shape: FeedShape;
  readonly #profiles: StoredProfiles;

  constructor({ shape }: { readonly shape: FeedShape }) {
    const { hold, shown, expires, author } = shape;
    this.#shape = shape;
    this.shape = JSON.stringify(shape);
    this.#profiles = new StoredProfiles(shape.profiles);
    const lineOf = (column: string) => shown.indexOf(column) + 1;
    const constants = { HOLD: hold, EXPIRES: lineOf(expires), AUTHOR: lineOf(author) };
    this.script = script(constants, ['rows', 'profiles', 'feed']);
  }

  *load(table: string, rows: readonly Row[]): Generator<BucketOperation> {
    if (table === this.#shape.profiles.table) for (const row of rows) yield inOneBucket(this.#profiles.put(null, row));
    if (table === this.#shape.table) for (const row of rows) yield inOneBucket(this.#put(null, row));
  }

  *changes(changes: readonly Change[]): Generator<BucketOperation> {
    for (const change of changes) {
      const { name } = change.table;
      if (name === this.#shape.table) yield inOneBucket(this.#changed(change));
      if (name === this.#shape.profiles.table) yield inOneBucket(this.#profiles.changed(change));
    }
  }

  read(query: Question): StoredRead[] {
    if (query.ask === 'newest') checkQuery(query);
    return [{ bucket: 0, ...this.#asked(query) }];
  }

  answer(query: Question, [reply]: readonly unknown[]): unknown {
    if (reply === null) return undefined;
    if (query.ask === 'newest') return this.#entries(reply as string[]);
    if (query.ask === 'between') return (reply as string[]).map((text) => rowFrom(text, this.#shape.shown));
    return this.#profiles.audited(query, reply);
  }

  audit(twin: MemoryView<FeedQuery>): Iterable<FeedAudit> {
    return (twin as MemoryFeed).audit();
  }

  #changed(change: Change): Operation {
    if (change.op === 'truncate') return ['truncate_rows'];
    if (change.op === 'delete') return ['delete_row', placeOf(change.before[this.#shape.id])];
    return this.#put(change.before, change.after);
  }

  #put(before: Row | null, after: Row): Operation {
    const { id, parent, shown } = this.#shape;
    const old = placeOf((before ?? after)[id]);
    return ['row', old, placeOf(after[id]), parent ? valueText(after[parent]) : 'null', rowText(after, shown)];
  }

  #asked(query: Question): Omit<StoredRead, 'bucket'> {
    if (query.ask === 'newest') {
      const { limit, now, before } = query;
      const from = before === undefined ? '+' : `(${placeOf(before)}`;
      return { name: 'newest', args: [String(limit), String(now), from] };
    }
    if (query.ask !== 'between') return this.#profiles.audit(query);
    const { above, to } = query;
    const bounds = [above === null ? '-' : `(${placeOf(above)}`, to === null ? '+' : `[${placeOf(to)}`];
    return { name: 'between', args: bounds };
  }

  #entries(reply: readonly string[]): FeedEntry[] {
    const entries: FeedEntry[] = [];
    for (let i = 0; i < reply.length; i += 2) {
      const row = rowFrom(reply[i]!, this.#shape.shown)!;
      entries.push({ row, profile: this.#profiles.rowOf(reply[i + 1]!) });
    }
    return entries;
  }
}
