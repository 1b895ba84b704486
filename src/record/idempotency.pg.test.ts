import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../testing/database.ts';
import { type IdempotencyKey, idempotent, sweepIdempotencyKeys } from './idempotency.ts';
import type { PgRecord } from './record.ts';

const KEY: IdempotencyKey = { scope: 'orders:ann', key: 'k1', fingerprint: '{"item":1}' };

async function withOrders(t: { name: string }) {
  const { record } = await testDatabase(t);
  await record.query('create table orders (id bigint generated always as identity)');
  const order = (key = KEY) =>
    record.transaction((tx) =>
      idempotent(tx, key, async () => {
        const [row] = await tx.query<{ id: number }>('insert into orders default values returning id');
        return { id: row!.id, text: 'ü"' };
      }),
    );
  return { record, order };
}

const orders = async (record: PgRecord) => (await record.query('select from orders')).length;

test('a repeat gets the first answer and does nothing', async (t) => {
  const { record, order } = await withOrders(t);
  assert.deepEqual((await order()).value, { value: { id: 1, text: 'ü"' }, replayed: false });
  assert.deepEqual((await order()).value, { value: { id: 1, text: 'ü"' }, replayed: true });
  assert.equal((await order({ ...KEY, scope: 'orders:bob' })).value.replayed, false);
  assert.equal(await orders(record), 2);
});

test('of twenty at once one does it', async (t) => {
  const { record, order } = await withOrders(t);
  const answers = await Promise.all(Array.from({ length: 20 }, () => order()));
  assert.equal(answers.filter(({ value }) => !value.replayed).length, 1);
  assert.ok(answers.every(({ value }) => value.value.id === 1));
  assert.equal(await orders(record), 1);
});

test('the same key for another request is refused', async (t) => {
  const { order } = await withOrders(t);
  await order();
  await assert.rejects(order({ ...KEY, fingerprint: '{"item":2}' }), { name: 'ClientError', status: 422 });
});

test('what a request says is the same with the members of its objects in any order, and with nothing else', async (t) => {
  const { order } = await withOrders(t);
  const says = (fingerprint: unknown) => order({ ...KEY, fingerprint });
  await says(['POST', { item: 1, to: [{ street: 'a', city: 'b' }], 10: null }]);
  const same = ['POST', { 10: null, to: [{ city: 'b', street: 'a' }], item: 1 }];
  assert.equal((await says(same)).value.replayed, true);
  for (const other of [
    ['POST', { item: 1, to: [{ street: 'a', city: 'b' }] }],
    ['POST', { item: '1', to: [{ street: 'a', city: 'b' }], 10: null }],
    ['POST', { item: 1, to: { 0: { street: 'a', city: 'b' } }, 10: null }],
    [{ item: 1, to: [{ street: 'a', city: 'b' }], 10: null }, 'POST'],
  ])
    await assert.rejects(says(other), { status: 422 }, JSON.stringify(other));
});

test('work that fails leaves no key, so it can be tried again', async (t) => {
  const { record, order } = await withOrders(t);
  const failing = record.transaction((tx) => idempotent(tx, KEY, () => Promise.reject(new Error('sold out'))));
  await assert.rejects(failing, /sold out/);
  assert.equal((await order()).value.replayed, false);
});

test('a key is forgotten after 24 hours, swept or not', async (t) => {
  const { record, order } = await withOrders(t);
  await order();
  await order({ ...KEY, key: 'k2' });
  await record.query(`update lockstep.idempotency_keys set created_at = now() - interval '25 hours'`);
  assert.equal((await order()).value.replayed, false);
  assert.equal(await sweepIdempotencyKeys(record), 1);
  assert.equal((await order()).value.replayed, true);
});
