import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { PgRecord } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { testDatabase } from '../../testing/database.ts';
import { feed } from './feed.ts';
import { modelAnswer } from './model.ts';
import { newest } from './queries.ts';

const DAY = 86_400_000_000;
const PROFILES = { table: 'wall.users', id: 'id', keep: ['name'] };
const SHAPE = {
  ...{ table: 'wall.posts', id: 'id', author: 'by', expires: 'until', parent: 'answers', keep: ['text'] },
  ...{ shown: ['id', 'by', 'until', 'text'], profiles: PROFILES, hold: 10_000 },
};
const definition = feed({
  ...{ table: 'wall.posts', id: 'id', author: 'by', expires: 'until', parent: 'answers', keep: ['text'] },
  profiles: PROFILES,
});

let record: PgRecord;
before(async () => {
  ({ record } = await testDatabase({ name: 'feed.pg' }));
  await record.query('create schema wall');
  await record.query(
    'create table wall.posts (id bigint primary key, by integer, until timestamptz, answers bigint, text text)',
  );
  await record.query('create table wall.users (id integer primary key, name text)');
});

const post = fc.record(
  {
    id: fc.nat({ max: 60 }),
    by: fc.option(fc.nat({ max: 3 }), { freq: 12 }),
    until: fc.option(
      fc.nat({ max: 10 }).map((days) => days * DAY),
      { freq: 12 },
    ),
    answers: fc.constantFrom(null, null, 7),
    text: fc.constantFrom('', 'hi', 'Zürich'),
  },
  { noNullPrototype: true },
);
const posts = fc.uniqueArray(post, { maxLength: 40, size: 'max', selector: ({ id }) => id });
const query = fc
  .tuple(fc.nat({ max: 20 }), fc.nat({ max: 11 }), fc.option(fc.nat({ max: 61 }), { nil: undefined }))
  .map(([limit, day, before]) => newest({ limit, now: day * DAY, before }));

test('[SPEC 5] a feed: memory, the record and the plain model give the same answers', async () => {
  const profiles: Row[] = [
    { id: 0, name: 'Ann' },
    { id: 2, name: 'Bob' },
  ];
  await record.query("insert into wall.users values (0, 'Ann'), (2, 'Bob')");
  await fc.assert(
    fc.asyncProperty(posts, fc.array(query, { minLength: 1, maxLength: 20, size: 'max' }), async (all, queries) => {
      await record.query('truncate wall.posts');
      await record.query(
        `insert into wall.posts select id, by, 'epoch'::timestamptz + until * interval '1 microsecond', answers, text
           from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::text[]) new (id, by, until, answers, text)`,
        (['id', 'by', 'until', 'answers', 'text'] as const).map((column) => all.map((each) => each[column])),
      );
      const view = definition.build();
      view.load('wall.posts', await record.query<Row>('select * from wall.posts'));
      view.load('wall.users', profiles);
      await view.loaded();
      const fromRecord = await definition.answerFromRecord(record, queries);
      queries.forEach((each, at) => {
        const expected = modelAnswer(SHAPE, { entries: all, profiles }, each);
        assert.deepEqual(fromRecord[at], expected);
        assert.deepEqual(view.answer(each), expected);
      });
    }),
    { numRuns: 40 },
  );
});
