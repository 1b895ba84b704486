import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../testing/database.ts';
import { faultProxy } from '../../testing/fault-proxy.ts';
import { silent } from '../log.ts';
import { openRecord } from '../open.ts';
import type { CoalescedRead } from '../record.ts';

const NAMES: CoalescedRead<number, string[]> = {
  sql: `select n as key, name, pg_current_xact_id()::text as statement from names where n = any($1) order by name`,
  keyType: 'bigint',
  keyOf: (key) => key,
  decode: (rows) => rows.map(({ name }) => name as string),
};

const TABLE = `create table names as select n::bigint, name from generate_series(1, 50) as n, unnest(array['b', 'a']) as name`;

test('concurrent reads are one statement, each gets its own rows, in their order', async (t) => {
  const { record } = await testDatabase(t);
  await record.query(TABLE);
  const statements = new Set<unknown>();
  const get = record.coalesceReads({
    ...NAMES,
    decode: (rows) => {
      for (const { statement } of rows) statements.add(statement);
      return NAMES.decode(rows);
    },
  });
  const answers = await Promise.all([3, 1, 99, 3].map(get));
  assert.deepEqual(answers, [['a', 'b'], ['a', 'b'], [], ['a', 'b']]);
  assert.equal(answers[0], answers[3], 'one key is read once');
  assert.equal(statements.size, 1);
});

test('more keys than one statement takes', async (t) => {
  const { record } = await testDatabase(t);
  await record.query(TABLE);
  const get = record.coalesceReads({ ...NAMES, maxKeys: 7 });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => get(i + 1)));
  assert.ok(answers.every((names) => names.length === 2));
});

test('a read sees what was written before it was asked, also while another is in flight', async (t) => {
  const { record } = await testDatabase(t);
  await record.query('create table names (n bigint, name text)');
  const get = record.coalesceReads(NAMES);
  for (let i = 1; i <= 20; i++) {
    const early = get(1);
    await record.query(`insert into names values (1, 'x')`);
    assert.equal((await get(1)).length, i);
    await early;
  }
});

test('a key that is no value of its type fails alone', async (t) => {
  const { record } = await testDatabase(t);
  await record.query(TABLE);
  const get = record.coalesceReads<string, string[]>({ ...NAMES, keyOf: (key) => key });
  const results = await Promise.allSettled(['1', 'x', '2'].map(get));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a read is sent again after its connection was lost', async (t) => {
  const { record, url } = await testDatabase(t);
  await record.query(TABLE);
  const proxy = await faultProxy(t, url);
  const proxied = await openRecord({ url: proxy.url, log: silent });
  t.after(() => proxied.close());
  const get = proxied.coalesceReads(NAMES);
  proxy.cutOn('any($1', 'before');
  assert.deepEqual(await get(1), ['a', 'b']);
  assert.equal(proxy.cuts, 1);
});

test('[rule 2] the flushed LSN covers what was committed before it was asked', async (t) => {
  const { record } = await testDatabase(t);
  await record.query('create table t (id integer)');
  for (let i = 0; i < 20; i++) {
    const early = record.flushedLsn();
    const [{ lsn }] = (
      await record.transaction(async (tx) => {
        await tx.query('insert into t values (1)');
        return tx.query(`select (pg_current_wal_insert_lsn() - '0/0')::text as lsn`);
      })
    ).value as [{ lsn: string }];
    assert.ok((await record.flushedLsn()) >= Number(lsn));
    await early;
  }
});
