import type { Change } from '../../../changes/change.ts';
import { formatSnapshot } from '../../../changes/visibility.ts';
import type { Row } from '../../../record/value.ts';
import { type Key, keyFrom, type RowsRead } from '../../lazy.ts';
import type { HeldRowQuery, RowsQuery } from '../../row-cache/queries.ts';
import type { RowCacheShape } from '../../row-cache/row-cache.ts';
import { jsonOf } from '../../row-cache/row-json.ts';
import type { BucketOperation, Changed, Fill, Operation, StoredKind, StoredLazy, StoredRead } from '../../stored.ts';
import type { MemoryView } from '../../view.ts';
import { MemoryRowCache } from '../memory/row-cache.ts';
import { bucketOf, byBucket } from './key-buckets.ts';
import { script } from './script.ts';

const BUCKETS = 16;
/** Changes that a bucket remembers. */
const MAX_TOUCHED = 4096;

type Question = RowsQuery | HeldRowQuery;

export interface StoredRowCacheOptions {
  readonly shape: RowCacheShape;
  /** Milliseconds since 1970. Nodes' clocks that differ make times to live differ, and nothing else. */
  readonly now?: () => number;
  readonly maxTouched?: number;
}

/**
 * The `row-cache` kind in Valkey or Redis: rows as JSON in 16 buckets by their key, shared by all nodes. A time to live counts
 * from when the row was read; a row that is deleted is let go of and read again when it is asked for. Each bucket has its part
 * of the bytes, and rows make room in the order of the uses that nodes told of, which they do now and then.
 */
export class StoredRowCache implements StoredKind<RowsQuery>, StoredLazy<RowsQuery> {
  readonly buckets = BUCKETS;
  readonly partial = true;
  readonly script: string;
  readonly lazy: StoredLazy<RowsQuery> = this;
  readonly #shape: RowCacheShape;
  readonly #now: () => number;
  readonly #json: (row: Row) => string;

  constructor({ shape, now = Date.now, maxTouched = MAX_TOUCHED }: StoredRowCacheOptions) {
    this.#shape = shape;
    this.#now = now;
    this.#json = jsonOf(shape.columns);
    const constants = {
      MAX_BYTES: Math.ceil(shape.maxBytes / BUCKETS),
      MAX_TOUCHED: maxTouched,
      ABSENT_EXPIRES: Number.isFinite(shape.absentTtlMs) ? 1 : 0,
    };
    this.script = script(constants, ['rows', 'visibility', 'lease', 'row-cache']);
  }

  /** Rows come when they are asked for. */
  load(): readonly BucketOperation[] {
    return [];
  }

  *changes(changes: readonly Change[], { xid }: { readonly xid: number }): Generator<BucketOperation> {
    const { table, id } = this.#shape;
    for (const change of changes) {
      if (change.table.name !== table) continue;
      if (change.op === 'truncate') yield* everywhere(['truncate', String(xid)]);
      else if (change.op === 'delete') yield this.#changed(keyFrom(change.before[id]), null, xid);
      else yield* this.#written(change.before, change.after, xid);
    }
  }

  expire(now: number): Operation[] {
    return [['expire', String(Math.floor(now / 1000))]];
  }

  read(query: Question): StoredRead[] {
    if (query.ask === 'row held')
      return [{ bucket: bucketOf(query.id, BUCKETS), name: 'row', args: [String(query.id)] }];
    const now = String(this.#now());
    return byBucket(query.ids, BUCKETS).map(({ bucket, keys }) => ({
      bucket,
      name: 'rows',
      args: [now, ...keys.map(String)],
    }));
  }

  answer(query: Question, replies: readonly unknown[]): unknown {
    if (query.ask === 'row held') return replies[0] === null ? undefined : rowOf(replies[0] as string);
    const found = this.#found(query, replies);
    const rows: (string | null)[] = [];
    for (const id of query.ids) {
      const text = found.get(id);
      if (text === undefined || text === null) return undefined;
      rows.push(rowOf(text));
    }
    return rows;
  }

  *audit(twin: MemoryView<RowsQuery>): Generator<HeldRowQuery> {
    for (const id of (twin as MemoryRowCache).keys()) yield { ask: 'row held', id };
  }

  missing(query: RowsQuery, replies: readonly unknown[]): Key[] {
    return [...this.#found(query, replies)].filter(([, text]) => text === null).map(([key]) => key);
  }

  fill(keys: readonly Key[], { seen, rows }: RowsRead, since: number): Fill[] {
    const facts = [String(since), String(seen.end), formatSnapshot(seen.snapshot), String(this.#now())];
    return byBucket(keys, BUCKETS).map(({ bucket, keys }) => {
      const parts = keys.flatMap((key) => [String(key), ...this.#textOf(rows.get(key) ?? null)]);
      return fillOf(bucket, keys, ['fill', ...facts, ...parts]);
    });
  }

  keep(rows: readonly Changed[]): Fill[] {
    const byKey = new Map(rows.map((row) => [row.key, row]));
    return byBucket([...byKey.keys()], BUCKETS).map(({ bucket, keys }) => {
      const parts = keys.flatMap((key) => {
        const { xid, row } = byKey.get(key)!;
        return [String(key), String(xid), ...this.#textOf(row)];
      });
      return fillOf(bucket, keys, ['keep', String(this.#now()), ...parts]);
    });
  }

  found({ bucket }: Fill, reply: unknown, xid: number): BucketOperation {
    return { bucket, operation: ['found', reply as string, String(xid)] };
  }

  use(keys: readonly Key[]): BucketOperation[] {
    return byBucket(keys, BUCKETS).map(({ bucket, keys }) => ({ bucket, operation: ['use', ...keys.map(String)] }));
  }

  page(bucket: number, cursor = '0'): StoredRead {
    return { bucket, name: 'page', args: [cursor] };
  }

  paged(reply: unknown): { keys: Key[]; next: string | undefined } {
    const [next, keys] = reply as readonly [string, readonly string[]];
    return { keys: keys.map((key) => this.#keyFrom(key)), next: next === '0' ? undefined : next };
  }

  stats(bucket: number): StoredRead {
    return { bucket, name: 'stats', args: [] };
  }

  held(replies: readonly unknown[]) {
    const sum = (place: number) =>
      replies.reduce<number>((all, reply) => all + Number((reply as readonly unknown[])[place]), 0);
    return { bytes: sum(0), evictions: sum(1), expirations: sum(2) };
  }

  get limits() {
    const { maxBytes, eviction, ttlMs } = this.#shape;
    return { maxBytes, eviction, ttlMs };
  }

  twin(keys: Iterable<Key>): MemoryView<RowsQuery> {
    return new MemoryRowCache({ shape: this.#shape, like: keys });
  }

  *#written(before: Row | null, after: Row, xid: number): Generator<BucketOperation> {
    const { id, columns } = this.#shape;
    const key = keyFrom(after[id]);
    const old = before?.[id];
    if (old !== undefined && old !== null && old !== key) yield this.#changed(keyFrom(old), null, xid);
    // A large value that was left untouched is not in the log: the row is read again when somebody wants it (CORRECTNESS 6).
    const isWhole = columns.every((column) => after[column] !== undefined);
    yield this.#changed(key, isWhole ? after : undefined, xid);
  }

  #changed(key: Key, row: Row | null | undefined, xid: number): BucketOperation {
    const text = row === undefined ? '' : row === null ? 'null' : this.#json(row);
    return { bucket: bucketOf(key, BUCKETS), operation: ['row', String(key), String(xid), text] };
  }

  /** A row and when it expires: never is empty. */
  #textOf(row: Row | null): [text: string, expires: string] {
    const { ttlMs, absentTtlMs } = this.#shape;
    const ttl = row ? ttlMs : absentTtlMs;
    return [row ? this.#json(row) : 'null', Number.isFinite(ttl) ? String(this.#now() + ttl) : ''];
  }

  #found({ ids }: RowsQuery, replies: readonly unknown[]): Map<Key, string | null> {
    const found = new Map<Key, string | null>();
    byBucket(ids, BUCKETS).forEach(({ keys }, i) => {
      const texts = replies[i] as readonly (string | null)[];
      keys.forEach((key, at) => {
        found.set(key, texts[at]!);
      });
    });
    return found;
  }

  /** A key as the record has it. */
  #keyFrom(text: string): Key {
    const { idType } = this.#shape;
    if (idType !== 'integer' && idType !== 'bigint') return text;
    return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  }
}

function rowOf(text: string): string | null {
  return text === 'null' ? null : text;
}

function everywhere(operation: Operation): BucketOperation[] {
  return Array.from({ length: BUCKETS }, (_, bucket) => ({ bucket, operation }));
}

/** The script answers with a word for all, or with the numbers of the rows it did not take, from 1. */
function fillOf(bucket: number, keys: readonly Key[], operation: Operation): Fill {
  const refused = (reply: unknown) => {
    if (typeof reply === 'string') return reply === 'floor' ? reply : 'unfounded';
    return (reply as readonly (number | string)[]).map((number) => keys[Number(number) - 1]!);
  };
  return { bucket, operation, keys, refused };
}
