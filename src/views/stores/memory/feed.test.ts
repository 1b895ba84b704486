import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change, Table } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { type OtherRows, viewContract } from '../../contract.ts';
import type { FeedShape } from '../../feed/feed.ts';
import { modelAnswer } from '../../feed/model.ts';
import { type FeedQuery, newest } from '../../feed/queries.ts';
import { MemoryFeed } from './feed.ts';

const SHAPE: FeedShape = {
  ...{ table: 'test.posts', id: 'id', author: 'author', expires: 'expires', parent: 'parent', keep: ['text', 'likes'] },
  shown: ['id', 'author', 'expires', 'text', 'likes'],
  profiles: { table: 'test.users', id: 'id', keep: ['name'] },
  hold: 1_000_000,
};

function tableOf(name: string, columns: readonly string[]): Table {
  return { oid: 1, name, columns: columns.map((column) => ({ name: column, type: 25 })), key: ['id'], full: false };
}

const POSTS = tableOf('test.posts', ['id', 'author', 'expires', 'parent', 'text', 'likes']);
const USERS = tableOf('test.users', ['id', 'name']);

const record = <T extends Row>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Row> =>
  fc.record(model, { noNullPrototype: true });
const postWith = (parent: fc.Arbitrary<number | null>) => (id: number) =>
  record({
    id: fc.constant(id),
    author: fc.option(fc.nat({ max: 4 }), { freq: 12 }),
    expires: fc.option(fc.nat({ max: 20 }), { freq: 12 }),
    parent,
    text: fc.string(),
    likes: fc.nat({ max: 3 }),
  });
const person = (id: number) => record({ id: fc.constant(id), name: fc.constantFrom('Ann', 'Bob', 'Zoë') });

const query: fc.Arbitrary<FeedQuery> = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 21 }), fc.option(fc.nat({ max: 41 }), { nil: undefined }))
  .map(([limit, now, before]) => newest({ limit, now, before }));

const options = {
  definition: { build: () => new MemoryFeed({ shape: SHAPE }) },
  table: POSTS,
  row: postWith(fc.constant(null)),
  ids: 40,
  others: [{ table: USERS, row: person, ids: 5 }],
  query,
  model: (rows: readonly Row[], asked: FeedQuery, others: OtherRows) =>
    modelAnswer(SHAPE, { entries: rows, profiles: others[USERS.name] ?? [] }, asked),
};
viewContract<FeedQuery>({ ...options, name: 'feed in memory' });

/** Random inserts, updates and deletes of posts and replies; half of them near the newest. */
const writes = fc.array(
  fc.record({
    id: fc.nat({ max: 60 }),
    row: fc.nat({ max: 60 }).chain(postWith(fc.constantFrom(null, null, 7))),
    gone: fc.boolean(),
  }),
  { maxLength: 150, size: 'max' },
);

test('[rule 8] a feed that holds little answers as the whole one does, or leaves it to the record', async () => {
  let [asked, declined] = [0, 0];
  await fc.assert(
    fc.asyncProperty(writes, writes, fc.array(query, { minLength: 5 }), async (first, after, queries) => {
      const rows = new Map<number, Row>();
      const take = (steps: typeof first): Change[] =>
        steps.flatMap(({ id, row, gone }): Change[] => {
          const values = { ...row, id };
          const known = rows.get(id);
          if (gone) rows.delete(id);
          else rows.set(id, values);
          if (gone) return known ? [{ op: 'delete', table: POSTS, before: { id }, after: null }] : [];
          return [{ op: known ? 'update' : 'insert', table: POSTS, before: null, after: values }];
        });
      take(first);
      const small = () => new MemoryFeed({ shape: { ...SHAPE, hold: 8 } });
      const view = small();
      view.load(POSTS.name, [...rows.values()]);
      await view.loaded();
      view.apply(take(after));
      const rebuilt = small();
      rebuilt.load(POSTS.name, [...rows.values()]);
      assert.deepEqual([...view.compare(rebuilt)].filter(Boolean), []);
      for (const each of queries) {
        const expected = modelAnswer(SHAPE, { entries: [...rows.values()], profiles: [] }, each);
        for (const answer of [view.answer(each), rebuilt.answer(each)]) {
          asked++;
          if (answer === undefined) declined++;
          else assert.deepEqual(answer, expected);
        }
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(declined > 0 && declined < asked, `declined ${declined} of ${asked}`);
});
