import type { Change, Table } from '../changes/change.ts';
import type { Row, Value } from '../record/value.ts';
import type { BucketOperation, Operation, StoredKind, StoredRead } from '../views/stored.ts';
import type { Drift, MemoryView, ViewDefinition, ViewQuery } from '../views/view.ts';

/** A row as `[a, b]`, null where there is none. */
export interface RowQuery extends ViewQuery<readonly Value[] | null> {
  readonly id: number;
}

export const ROWS_TABLE: Table = {
  oid: 1,
  name: 'test.rows',
  columns: [
    { name: 'id', type: 23 },
    { name: 'a', type: 23 },
    { name: 'b', type: 25 },
  ],
  key: ['id'],
  full: false,
};

/** Each column's values in a hash of its own, by id. */
const SCRIPT = `
function applies.put(id, column, value) redis.call('HSET', key(column), id, value) end
function applies.delete(id) for _, column in ipairs({'a', 'b'}) do redis.call('HDEL', key(column), id) end end
function applies.clear() redis.call('DEL', key('a'), key('b')) end
function reads.row(id) return { redis.call('HGET', key('a'), id), redis.call('HGET', key('b'), id) } end
function reads.entries() return redis.call('HLEN', key('a')) end
`;

/** The simplest kind that lives in a store: rows by id, over some buckets. For tests of the store itself. */
export function storedRows({ buckets = 3, script = SCRIPT } = {}): ViewDefinition<RowQuery> {
  const stored: StoredKind<RowQuery> = {
    buckets,
    script,
    load: (_table, rows) => rows.flatMap((row) => puts(row, buckets)),
    changes: (changes) => changes.flatMap((change) => operationsOf(change, buckets)),
    read: ({ id }): StoredRead[] => [{ bucket: id % buckets, name: 'row', args: [String(id)] }],
    answer: (_query, [reply]) => rowFrom(reply as (string | null)[]),
    audit: (twin) => [...(twin as MemoryRows).rows.keys()].map((id): RowQuery => ({ id })),
  };
  return {
    kind: 'test-rows',
    sources: [{ table: ROWS_TABLE.name }],
    build: () => new MemoryRows(),
    answerFromRecord: async () => [],
    stored,
  };
}

function operationsOf(change: Change, buckets: number): BucketOperation[] {
  const { op, before, after } = change;
  if (op === 'truncate') return Array.from({ length: buckets }, (_, bucket) => ({ bucket, operation: ['clear'] }));
  const gone = before && before.id !== after?.id ? [inBucket(before.id, buckets, ['delete', String(before.id)])] : [];
  return after ? [...gone, ...puts(after, buckets)] : gone;
}

function puts(row: Row, buckets: number): BucketOperation[] {
  return ['a', 'b'].flatMap((column) => {
    const value = row[column];
    return value === undefined
      ? []
      : [inBucket(row.id, buckets, ['put', String(row.id), column, value === null ? '' : `=${value}`])];
  });
}

function inBucket(id: Value, buckets: number, operation: Operation): BucketOperation {
  return { bucket: Number(id) % buckets, operation };
}

function rowFrom([a, b]: readonly (string | null)[]): readonly Value[] | null {
  if (a === null) return null;
  return [a === '' ? null : Number(a!.slice(1)), b ? b.slice(1) : null];
}

/** The same in memory. */
class MemoryRows implements MemoryView<RowQuery> {
  readonly rows = new Map<number, Value[]>();

  load(_table: string, rows: readonly Row[]): void {
    for (const row of rows) this.#put(row);
  }

  async loaded(): Promise<void> {}

  apply(changes: readonly Change[]): void {
    for (const { op, before, after } of changes) {
      if (op === 'truncate') this.rows.clear();
      const old = this.rows.get((before ?? after)?.id as number);
      if (before) this.rows.delete(before.id as number);
      if (after) this.#put(after, old);
    }
  }

  answer({ id }: RowQuery): Value[] | null {
    return this.rows.get(id) ?? null;
  }

  stats() {
    return { entries: this.rows.size, bytes: this.rows.size * 50 };
  }

  *compare(other: MemoryRows): Iterable<Drift | undefined> {
    for (const id of new Set([...this.rows.keys(), ...other.rows.keys()])) {
      const [inView, inRecord] = [JSON.stringify(this.answer({ id })), JSON.stringify(other.answer({ id }))];
      yield inView === inRecord ? undefined : { what: `row ${id}`, inView, inRecord };
    }
  }

  #put({ id, a, b }: Row, old: readonly Value[] = []): void {
    this.rows.set(id as number, [a === undefined ? old[0] : a, b === undefined ? old[1] : b]);
  }
}
