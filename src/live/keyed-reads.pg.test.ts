import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../testing/database.ts';
import { rowCache } from '../views/row-cache/row-cache.ts';
import { KeyedReads } from './keyed-reads.ts';

test('reads of one turn share a statement, and say what it saw', async (t) => {
  const { record } = await testDatabase(t);
  await record.query('create table named (id integer primary key, name text)');
  await record.query(`insert into named values (1, 'one'), (2, 'two')`);
  const { sql, id } = rowCache<{ id: number; name: string }>({ table: 'public.named', id: 'id', columns: ['name'] })
    .lazy!;
  const reads = new KeyedReads({ record, sql, id });
  const [first, second] = await Promise.all([reads.read([1, 3]), reads.read([2, 1])]);
  assert.equal(reads.statements, 1);
  assert.equal(first, second);
  assert.deepEqual(
    [1, 2, 3].map((key) => first!.rows.get(key)?.name),
    ['one', 'two', undefined],
  );
  assert.equal(first!.rows.get(3), null);
  const { seen } = await reads.read([]);
  assert.ok(seen.flushed >= first!.seen.flushed && seen.end >= seen.flushed);
  assert.ok(((seen.snapshot.xmax - seen.snapshot.xmin) | 0) >= 0);

  const [good, bad] = await Promise.allSettled([reads.read([1]), reads.read([2 ** 40])]);
  assert.deepEqual([good.status, bad.status], ['fulfilled', 'rejected']);
});

const UUID = '7d5e0b4c-8a3f-4f0e-9d53-0c4a5a1f2b6e';

test('a key in another form than the record’s is refused: no change would find the row by it', async (t) => {
  const { record } = await testDatabase(t);
  await record.query('create table named (id uuid primary key, name text)');
  await record.query(`insert into named values ('${UUID}', 'one')`);
  const definition = rowCache<{ id: string; name: string }>({
    table: 'public.named',
    id: 'id',
    idType: 'uuid',
    columns: ['name'],
  });
  const reads = new KeyedReads({ record, ...definition.lazy! });
  const other = UUID.replace('7d', '7e').toUpperCase();
  const [good, bad, absent] = await Promise.allSettled([UUID, UUID.toUpperCase(), other].map((id) => reads.read([id])));
  assert.equal(good!.status === 'fulfilled' && good!.value.rows.get(UUID)?.name, 'one');
  for (const refused of [bad!, absent!]) {
    assert.equal(refused.status, 'rejected');
    assert.match(String(refused.status === 'rejected' && refused.reason), /is not how the record writes this key/);
  }
});
