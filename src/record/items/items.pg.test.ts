import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../testing/database.ts';
import { ClientError } from '../errors.ts';
import type { PgRecord } from '../record.ts';
import { equals, itemAbsent } from './condition.ts';
import { CONTRACT_TABLES, itemTableContract } from './contract.ts';
import { ItemConditionFailed } from './item-table.ts';
import { PgItemStore } from './pg-items.ts';
import { itemTableSql } from './pg-statements.ts';

async function prepared(t: { readonly name: string }): Promise<{ record: PgRecord; store: PgItemStore }> {
  const { record } = await testDatabase(t);
  await record.transaction(async (tx) => {
    await tx.query('create schema contract');
    for (const definition of Object.values(CONTRACT_TABLES)) await tx.query(itemTableSql(definition));
  });
  return { record, store: new PgItemStore({ record }) };
}

itemTableContract({ name: 'PostgreSQL', store: async (t) => (await prepared(t)).store });

test('within a transaction of the record: reads see its writes, and a failure undoes all of it', async (t) => {
  const { record, store } = await prepared(t);
  const trip = { riderid: 'r', tripinfo: 't' };
  const failing = record.transaction(async (tx) => {
    const trips = store.within(tx, CONTRACT_TABLES.trips);
    await trips.put({ ...trip, STATUS: 'Booked' }, { condition: itemAbsent });
    assert.equal((await trips.get(trip))?.STATUS, 'Booked');
    assert.equal((await trips.query({ partition: 'r' })).items.length, 1);
    await tx.query('create table beside (n integer)');
    await trips.update(trip, { set: { STATUS: 'Completed' } }, { condition: equals('STATUS', 'InProgress') });
  });
  await assert.rejects(failing, (error: ItemConditionFailed) => error.item?.STATUS === 'Booked');
  assert.equal(await store.table(CONTRACT_TABLES.trips).get(trip), undefined);
  await assert.rejects(record.query('select from beside'));
});

test('[rule 17] concurrent writes share statements', async (t) => {
  const { record, store } = await prepared(t);
  const table = store.table(CONTRACT_TABLES.counters);
  const written = await Promise.all(Array.from({ length: 200 }, (_, n) => table.put({ id: `i${n}`, n })));
  assert.ok(new Set(written.map(({ receipt }) => receipt.xid)).size <= 3);
  assert.equal((await record.query('select from contract.counters')).length, 200);
});

test('[rule 17] creations and updates at once share a statement, and each has its own outcome', async (t) => {
  const { store } = await prepared(t);
  const table = store.table(CONTRACT_TABLES.counters);
  await Promise.all([1, 2, 3].map((n) => table.put({ id: `there${n}`, n })));
  const create = (id: string, n: number) => table.put({ id, n }, { condition: itemAbsent });
  const step = (id: string, from: number) => table.update({ id }, { set: { n: 9 } }, { condition: equals('n', from) });
  const [created, refused, stepped, failed, gone, ...others] = await Promise.allSettled([
    create('new', 1),
    create('there1', 7),
    step('there2', 2),
    step('there3', 4),
    step('nothing', 1),
    ...Array.from({ length: 20 }, (_, n) => create(`other${n}`, n)),
  ]);
  assert.ok(created!.status === 'fulfilled' && stepped!.status === 'fulfilled');
  assert.deepEqual(
    [created.value.value, stepped.value.value],
    [
      { id: 'new', n: 1 },
      { id: 'there2', n: 9 },
    ],
  );
  assert.equal(created.value.receipt.xid, stepped.value.receipt.xid);
  const found = [refused, failed, gone].map(
    (each) => ((each as PromiseRejectedResult).reason as ItemConditionFailed).item,
  );
  assert.deepEqual(found, [{ id: 'there1', n: 1 }, { id: 'there3', n: 3 }, undefined]);
  assert.ok(others.every(({ status }) => status === 'fulfilled'));
  const keys = ['new', 'there1', 'there2', 'there3', 'other19'];
  const items = await table.batchGet(keys.map((id) => ({ id })));
  assert.deepEqual(
    items.map((item) => item?.n),
    [1, 1, 9, 3, 19],
  );
});

test('indexes are used, whatever the size of the table was when the statement was planned', async (t) => {
  const { record, store } = await prepared(t);
  const table = store.table(CONTRACT_TABLES.trips);
  const trip = (n: number) => ({ riderid: 'r', tripinfo: `t${n}` });
  const step = (n: number) => table.update(trip(n), { set: { STATUS: 'b' } }, { condition: equals('STATUS', 'a') });
  for (let n = 0; n < 10; n++) await table.put({ ...trip(n), STATUS: 'a' });
  for (let n = 0; n < 10; n++) await step(n);
  await record.query(
    `insert into contract.trips select 'x', 't' || n, '{"STATUS":"a"}' from generate_series(1, 20000) n`,
  );
  const before = await scans(record);
  for (let n = 0; n < 10; n++) await assert.rejects(step(n), ClientError);
  assert.equal((await scans(record)) - before, 0);
  await assert.rejects(table.update(trip(99), { set: { A: 1 } }), ItemConditionFailed);
});

/** Scans of the whole table so far. */
async function scans(record: PgRecord): Promise<number> {
  await record.query('select pg_stat_force_next_flush()');
  const [row] = await record.query<{ scans: number }>(
    `select seq_scan as scans from pg_stat_user_tables where relid = 'contract.trips'::regclass`,
  );
  return row!.scans;
}
