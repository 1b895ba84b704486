import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../testing/database.ts';
import type { PgRecord } from './record.ts';

const DEFINITIONS = `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition, indexrelid::bigint as oid
  from pg_index where indrelid = 'app.games'::regclass order by 1`;

async function world(t: TestContext) {
  const { record } = await testDatabase(t);
  await record.query('create schema app');
  await record.query('create table app.games (id bigint primary key, "Score" integer, name text unique)');
  await record.query('create index by_score on app.games ("Score" desc) where "Score" > 0');
  await record.query('create index "By name" on app.games (lower(name)) with (fillfactor = 70)');
  return {
    record,
    indexes: () => record.query<{ name: string; definition: string; oid: number }>(DEFINITIONS),
    load: (rows: readonly string[]) =>
      record.transaction((tx) =>
        record.copyIn(tx, 'app.games', ['id', 'Score', 'name'], lines(rows), { indexesAfter: true }),
      ),
  };
}

async function* lines(rows: readonly string[]): AsyncGenerator<string> {
  for (const row of rows) yield `${row}\n`;
}

const withoutOids = (indexes: readonly { name: string; definition: string }[]) =>
  indexes.map(({ name, definition }) => ({ name, definition }));
const oidOf = (indexes: readonly { name: string; oid: number }[], name: string) =>
  indexes.find((index) => index.name === name)!.oid;

test('an empty table gets its indexes after the rows, the same ones; those of constraints stay', async (t) => {
  const { indexes, load } = await world(t);
  const before = await indexes();
  await load(['1\t10\tann', '2\t20\tbob']);
  const after = await indexes();
  assert.deepEqual(withoutOids(after), withoutOids(before));
  for (const { name, oid } of before) {
    const remade = ['app.by_score', 'app."By name"'].includes(name);
    assert.equal(oidOf(after, name) !== oid, remade, name);
  }
});

test('a table with rows keeps its indexes, and so does one in use, and one whose rows are refused', async (t) => {
  const { record, indexes, load } = await world(t);
  const before = await indexes();
  await assert.rejects(load(['1\t10\tann', '2\t20\tann']), { code: '23505' });
  assert.deepEqual(await indexes(), before);
  await record.transaction(async (tx) => {
    await tx.query('select from app.games');
    await load(['1\t10\tann']);
  });
  assert.deepEqual(await indexes(), before);
  await load(['2\t20\tbob']);
  assert.deepEqual(await indexes(), before);
  assert.equal(await rowsOf(record), 2);
});

async function rowsOf(record: PgRecord): Promise<number> {
  const [row] = await record.query<{ rows: number }>('select count(*) as rows from app.games');
  return row!.rows;
}
