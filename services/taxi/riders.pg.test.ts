import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PgRecord } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { Repeats } from './repeats.ts';
import { until } from './test-client.ts';
import { type Rider, Trips } from './trips.ts';

const ANN: Rider = { id: 12_000_000, name: 'ann', email: 'ann@example.com', mobile: '+12125550123' };
const ITEM = { RIDER_ID: ANN.id, RIDER_NAME: ANN.name, RIDER_EMAIL: ANN.email, RIDER_MOBILE: ANN.mobile };

async function riders(record: PgRecord): Promise<unknown[]> {
  const rows = await record.query<{ attributes: string }>(
    `select attributes::text as attributes from taxi.rider_items where riderid = '${ANN.email}'`,
  );
  return rows.map(({ attributes }) => JSON.parse(attributes));
}

test('whoever books is a rider, also one who was deleted by SQL after having booked before', async (t) => {
  const { record } = await testApp(t);
  const trips = new Trips({ record });
  for (let i = 0; i < 3; i++) {
    await trips.book({ ...ANN, mobile: i === 2 ? '+13105550123' : ANN.mobile }, {});
    assert.deepEqual(await riders(record), [i === 2 ? { ...ITEM, RIDER_MOBILE: '+13105550123' } : ITEM]);
    if (i < 2) await record.query(`delete from taxi.rider_items where riderid = '${ANN.email}'`);
  }
  await trips.book(ANN, {});
  assert.deepEqual(await riders(record), [{ ...ITEM, RIDER_MOBILE: '+13105550123' }], 'as first registered');
  const projected = () => record.query(`select from rides.riders where rider_email = '${ANN.email}'`).catch(() => []);
  await until(async () => (await projected()).length === 1, 'the row');
});

test('a booking that is undone registers nobody, and the next one does', async (t) => {
  const { record } = await testApp(t);
  const trips = new Trips({ record });
  const user = { sub: 's', username: 'ann', email: null, roles: [] };
  const repeats = new Repeats({ record, trips });
  const undone = repeats.once({ user, key: 'k', fingerprint: 1 }, async (at) => {
    await at.book(ANN, {});
    throw new Error('undone');
  });
  await assert.rejects(undone, /undone/);
  assert.deepEqual(await riders(record), []);
  await trips.book(ANN, {});
  assert.deepEqual(await riders(record), [ITEM]);
});

test('many bookings at once, of riders known and new, in any order', async (t) => {
  const { record } = await testApp(t);
  const nodes = [new Trips({ record }), new Trips({ record })];
  const count = async () =>
    (await record.query<{ n: number }>('select count(*)::integer as n from taxi.rider_items'))[0]!.n;
  const before = await count();
  const booked = Array.from({ length: 600 }, (_, i) => {
    const id = 20_000_000 + ((i * 7919) % 150);
    const rider = { id, name: `p${id}`, email: `p${id}@example.com`, mobile: '+12125550123' };
    return nodes[i % 2]!.book(rider, {});
  });
  await Promise.all(booked);
  assert.equal((await count()) - before, 150);
});
