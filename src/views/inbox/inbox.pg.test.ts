import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { PgRecord } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { testDatabase } from '../../testing/database.ts';
import { inbox } from './inbox.ts';
import { modelAnswer } from './model.ts';
import { conversations, type InboxQuery, members, profile } from './queries.ts';

const SHAPE = {
  messages: { table: 'mail.messages', id: 'id', conversation: 'talk', author: 'from"', keep: ['text', 'at'] },
  members: { table: 'mail.members', id: 'id', conversation: 'talk', member: 'member', read: 'read' },
  profiles: { table: 'mail."the users"', id: 'id', keep: ['name'] },
};
/** Names that only quoting can carry. */
const definition = inbox({ ...SHAPE, profiles: { ...SHAPE.profiles, table: 'mail.the users' } });

let record: PgRecord;
before(async () => {
  ({ record } = await testDatabase({ name: 'inbox.pg' }));
  await record.query('create schema mail');
  await record.query(
    'create table mail.messages (id bigint primary key, talk text, "from""" integer, text text, at timestamptz)',
  );
  await record.query('create table mail.members (id integer primary key, talk text, member integer, read bigint)');
  await record.query('create table mail."the users" (id integer primary key, name text)');
});

const talk = fc.option(fc.constantFrom('a', 'b', "c'; drop", ''), { freq: 12 });
const user = fc.option(fc.nat({ max: 3 }), { freq: 12 });
const rows = (max: number, values: (id: number) => fc.Arbitrary<Row>) =>
  fc.uniqueArray(fc.nat({ max }).chain(values), { maxLength: 40, size: 'max', selector: (row) => row.id });
const row = <T extends Row>(values: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Row> =>
  fc.record(values, { noNullPrototype: true });

const tables = fc.record({
  messages: rows(60, (id) =>
    row({
      id: fc.constant(id),
      talk,
      'from"': user,
      text: fc.constantFrom('hi', '', 'Zürich'),
      at: fc.nat({ max: 9 }).map((days) => days * 86_400_000_000),
    }),
  ),
  members: rows(12, (id) =>
    row({ id: fc.constant(id), talk, member: user, read: fc.option(fc.nat({ max: 60 }), { freq: 3 }) }),
  ),
  profiles: rows(4, (id) => row({ id: fc.constant(id), name: fc.constantFrom('Ann', 'Bob') })),
});
const query: fc.Arbitrary<InboxQuery> = fc.oneof(
  fc
    .tuple(fc.nat({ max: 4 }), fc.nat({ max: 5 }), fc.option(fc.nat({ max: 61 }), { nil: undefined }))
    .map(([member, limit, before]) => conversations({ member, limit, before })),
  fc.constantFrom('a', 'b', '', 'none').map((conversation) => members({ conversation })),
  fc.nat({ max: 5 }).map((id) => profile({ id })),
);

async function fill(table: string, all: readonly Row[], columns: Readonly<Record<string, string>>): Promise<void> {
  await record.query(`truncate ${table}`);
  const names = Object.keys(columns).map((name) => `"${name.replaceAll('"', '""')}"`);
  await record.query(
    `insert into ${table} select * from unnest(${Object.values(columns).map((type, i) => `$${i + 1}::${type}[]`)})
       as new (${names.join(', ')})`,
    Object.keys(columns).map((name) => all.map((each) => each[name])),
  );
}

test('[SPEC 5] an inbox: memory, the record and the plain model give the same answers', async () => {
  await fc.assert(
    fc.asyncProperty(tables, fc.array(query, { minLength: 1, maxLength: 20, size: 'max' }), async (all, queries) => {
      const times = all.messages.map((each) => ({ ...each, at: new Date((each.at as number) / 1000).toISOString() }));
      await fill('mail.messages', times, {
        id: 'bigint',
        talk: 'text',
        'from"': 'int',
        text: 'text',
        at: 'timestamptz',
      });
      await fill('mail.members', all.members, { id: 'int', talk: 'text', member: 'int', read: 'bigint' });
      await fill('mail."the users"', all.profiles, { id: 'int', name: 'text' });
      const view = definition.build();
      for (const { table } of definition.sources) {
        const [schema, name] = table.split('.');
        view.load(table, await record.query<Row>(`select * from ${schema}."${name}"`));
      }
      await view.loaded();
      const fromRecord = await definition.answerFromRecord(record, queries);
      queries.forEach((each, at) => {
        const expected = modelAnswer(SHAPE, all, each);
        assert.deepEqual(fromRecord[at], expected);
        assert.deepEqual(view.answer(each), expected);
      });
    }),
    { numRuns: 40 },
  );
});

test('[SPEC 9] questions that make no sense are the client’s error', async () => {
  for (const limit of [-1, 1.5, 1001, Number.NaN]) {
    const asked = conversations({ member: 1, limit });
    assert.throws(() => definition.build().answer(asked), { status: 400 });
    await assert.rejects(definition.answerFromRecord(record, [asked]), { status: 400 });
  }
});
