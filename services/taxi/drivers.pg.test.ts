import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestApp, testApp } from '../../src/testing/app.ts';
import { type Body, TaxiClient } from './test-client.ts';

/** A trip that this driver has accepted. */
async function accepted(taxi: TaxiClient<TestApp>, rider: string, driver: string): Promise<Body> {
  const { body } = await taxi.call('POST', '/trips', { token: rider, body: {} });
  const { status, body: trip } = await taxi.call('POST', `/trips/${encodeURIComponent(body.id)}/accept`, {
    token: driver,
  });
  assert.equal(status, 200, trip.message);
  return trip;
}

test("a driver's trips are theirs and an admin's, whatever e-mail address, name or role others have", async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const [rider, driver, ...others] = await Promise.all([
    taxi.account('ann'),
    taxi.account('driver1456', { role: 'driver' }),
    taxi.account('eve', { email: 'driver1456@example.com' }),
    taxi.account('mallory', { email: 'driver1456@example.com', role: 'driver' }),
    taxi.account('driver7'),
  ]);
  const trip = await accepted(taxi, rider, driver);
  assert.equal(trip.DRIVER_NAME, 'driver1456');
  const list = (token: string, name: string) => taxi.call('GET', `/trips?driver=${name}`, { token });
  assert.deepEqual((await list(driver, 'driver1456')).body.trips, [trip]);
  assert.deepEqual(
    (await list(await taxi.account('boss', { role: 'admin' }), 'driver1456')).body.trips.map(({ id }: Body) => id),
    [trip.id],
  );
  for (const other of others) assert.equal((await list(other, 'driver1456')).status, 403);
  const [eve, mallory, driver7] = others;
  assert.equal((await list(eve!, 'eve')).status, 403);
  assert.deepEqual((await list(mallory!, 'mallory')).body.trips, []);

  // A driver that was generated, as the kiosk assigns them, is not whoever signs up under that name.
  await taxi.app.record.query(
    `update taxi.trip_items set attributes = attributes || '{"DRIVER_ID": 7, "DRIVER_NAME": "driver7"}'`,
  );
  const path = `/trips/${encodeURIComponent(trip.id)}`;
  assert.equal((await taxi.call('GET', path, { token: driver7! })).status, 403);
  assert.equal((await taxi.call('POST', `${path}/cancel`, { token: driver7! })).status, 403);
});

test('only who accepts as a driver becomes one: to look changes nothing', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const { record } = taxi.app;
  const [rita, admin] = await Promise.all([taxi.account('rita'), taxi.account('boss', { role: 'admin' })]);
  const drivers = () => record.query('select * from taxi.driver_items order by driverid');
  const before = await drivers();
  assert.equal((await taxi.call('GET', '/trips?driver=rita', { token: rita })).status, 403);
  const unknown = await taxi.call('GET', '/trips?driver=nosuchdriver', { token: admin });
  assert.deepEqual([unknown.status, unknown.body], [200, { trips: [], cursor: null }]);
  const newcomer = await taxi.account('newcomer', { role: 'driver' });
  assert.deepEqual((await taxi.call('GET', '/trips?driver=newcomer', { token: newcomer })).body.trips, []);
  assert.deepEqual(await drivers(), before);

  const trip = await accepted(taxi, rita, newcomer);
  assert.equal(trip.DRIVER_EMAIL, 'newcomer@example.com');
  assert.deepEqual((await taxi.call('GET', '/trips?driver=newcomer', { token: newcomer })).body.trips, [trip]);
  assert.equal((await drivers()).length, before.length + 1);
});
