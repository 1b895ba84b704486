import fc from 'fast-check';
import type { Change, Table } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { ContractOptions } from '../views/contract.ts';
import type { FeedShape } from '../views/feed/feed.ts';
import { modelAnswer } from '../views/feed/model.ts';
import { type FeedQuery, newest } from '../views/feed/queries.ts';

export const FEED_SHAPE: FeedShape = {
  ...{ table: 'test.posts', id: 'id', author: 'author', expires: 'expires', parent: 'parent', keep: ['text', 'likes'] },
  shown: ['id', 'author', 'expires', 'text', 'likes'],
  profiles: { table: 'test.users', id: 'id', keep: ['name'] },
  hold: 1_000_000,
};

function tableOf(name: string, columns: readonly string[]): Table {
  return { oid: 1, name, columns: columns.map((column) => ({ name: column, type: 25 })), key: ['id'], full: false };
}

export const POSTS = tableOf('test.posts', ['id', 'author', 'expires', 'parent', 'text', 'likes']);
const USERS = tableOf('test.users', ['id', 'name']);

const record = <T extends Row>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Row> =>
  fc.record(model, { noNullPrototype: true });
const postWith = (parent: fc.Arbitrary<number | null>) => (id: number) =>
  record({
    id: fc.constant(id),
    author: fc.option(fc.nat({ max: 4 }), { freq: 12 }),
    expires: fc.option(fc.nat({ max: 20 }), { freq: 12 }),
    parent,
    text: fc.string({ unit: 'binary' }),
    likes: fc.nat({ max: 3 }),
  });
const person = (id: number) => record({ id: fc.constant(id), name: fc.constantFrom('Ann', 'Bob', 'Zoë') });

export const feedQuery: fc.Arbitrary<FeedQuery> = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 21 }), fc.option(fc.nat({ max: 41 }), { nil: undefined }))
  .map(([limit, now, before]) => newest({ limit, now, before }));

/** What the contracts of views are given, in memory and in a store. */
export const FEED_CONTRACT: Omit<ContractOptions<FeedQuery>, 'name' | 'definition'> = {
  table: POSTS,
  row: postWith(fc.constant(null)),
  ids: 40,
  others: [{ table: USERS, row: person, ids: 5 }],
  query: feedQuery,
  model: (rows, asked, others) => modelAnswer(FEED_SHAPE, { entries: rows, profiles: others[USERS.name] ?? [] }, asked),
};

/** Random inserts, updates and deletes of posts and replies; half of them near the newest. */
export const feedWrites = fc.array(
  fc.record({
    id: fc.nat({ max: 60 }),
    row: fc.nat({ max: 60 }).chain(postWith(fc.constantFrom(null, null, 7))),
    gone: fc.boolean(),
  }),
  { maxLength: 150, size: 'max' },
);

/** What the writes change in `rows`, as a change feed tells it. */
export function written(
  rows: Map<number, Row>,
  writes: typeof feedWrites extends fc.Arbitrary<infer T> ? T : never,
): Change[] {
  return writes.flatMap(({ id, row, gone }): Change[] => {
    const values = { ...row, id };
    const known = rows.get(id);
    if (gone) rows.delete(id);
    else rows.set(id, values);
    if (gone) return known ? [{ op: 'delete', table: POSTS, before: { id }, after: null }] : [];
    return [{ op: known ? 'update' : 'insert', table: POSTS, before: null, after: values }];
  });
}
