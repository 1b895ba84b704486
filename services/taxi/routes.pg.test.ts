import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { type Body, TaxiClient, until } from './test-client.ts';

const RIDE = 'rider_id=71463&rider_mobile=%2B11492133668';

test('the three calls of the kiosk, as written, end in one row of trips, which is billed', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const { record } = taxi.app;
  await until(async () => (await record.query('select from rides.drivers').catch(() => [])).length === 2000, 'drivers');

  const booked = await taxi.call('GET', `/riderbook?${RIDE}`);
  assert.equal(booked.status, 200, booked.text);
  const { riderid, tripinfo, ID, ...rest } = booked.body;
  assert.equal(riderid, 'person71463@example.com');
  assert.match(tripinfo, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d{7}$/);
  assert.ok(tripinfo.endsWith(`,${ID}`));
  assert.deepEqual(
    { ...rest, PICKUP_DATETIME: undefined },
    {
      RIDER_ID: 71463,
      RIDER_NAME: 'person71463',
      RIDER_EMAIL: 'person71463@example.com',
      RIDER_MOBILE: '+11492133668',
      PICKUP_DATETIME: undefined,
      STATUS: 'Booked',
    },
  );
  const query = `rider_id=71463&trip_info=${tripinfo}`;

  const early = await taxi.call('GET', `/drivercomplete?${query}`);
  assert.equal(early.status, 409);
  assert.match(early.body.message, /This trip is Booked/);
  assert.equal(early.body.state, 'Booked');

  const accepted = await taxi.call('GET', `/driveraccept?${query}`);
  assert.equal(accepted.status, 200, accepted.text);
  assert.equal(accepted.body.STATUS, 'InProgress');
  for (const name of 'DRIVER_ID DRIVER_NAME DRIVER_EMAIL DRIVER_MOBILE VEHICLE_ID CAB_TYPE_ID VENDOR_ID PICKUP_LONGITUDE PICKUP_LATITUDE TRIP_TYPE STORE_AND_FWD_FLAG DriverDetails'.split(
    ' ',
  )) {
    assert.ok(accepted.body[name] !== undefined, name);
  }

  const completed = await taxi.call('GET', `/drivercomplete?${query}`);
  const started = performance.now();
  assert.equal(completed.status, 200, completed.text);
  assert.equal(completed.body.STATUS, 'Completed');
  const cents = (name: string) => Math.round(completed.body[name] * 100);
  const parts = ['FARE_AMOUNT', 'EXTRA', 'MTA_TAX', 'TIP_AMOUNT', 'TOLLS_AMOUNT', 'IMPROVEMENT_SURCHARGE'];
  assert.equal(
    parts.reduce((sum, name) => sum + cents(name), 0),
    cents('TOTAL_AMOUNT'),
  );
  assert.match(completed.text, /"TOTAL_AMOUNT":\d+(\.\d{1,2})?[,}]/);

  const trips = () =>
    record.query<Body>('select rider_email, trip_info, total_amount, status, driver_id from rides.trips');
  await until(async () => (await trips()).length === 1, 'the row');
  t.diagnostic(`the row was there ${(performance.now() - started).toFixed(1)} ms after the answer`);
  const [row] = await trips();
  assert.deepEqual(
    { ...row, total_amount: Number(row!.total_amount) },
    {
      rider_email: riderid,
      trip_info: tripinfo,
      total_amount: completed.body.TOTAL_AMOUNT,
      status: 'Completed',
      driver_id: accepted.body.DRIVER_ID,
    },
  );
  assert.equal((await record.query('select from rides.riders where rider_id = 71463')).length, 1);

  await record.query('call billingandpayments()');
  await record.query('call billingandpayments()');
  const [bill] = await record.query<Body>(`
    select b.*, p.amount from rides.billing b join rides.payment p using (billing_id)`);
  assert.equal(bill!.ride_count, 1);
  assert.equal(Number(bill!.total_amount), completed.body.TOTAL_AMOUNT);
  assert.equal(Number(bill!.amount), Math.round(completed.body.TOTAL_AMOUNT * 80) / 100);
  assert.equal((await record.query('select from rides.billing')).length, 1);
  assert.equal((await trips())[0]!.status, 'Processed');

  await taxi.app.live.projections[0]!.rebuild();
  assert.equal((await trips())[0]!.status, 'Processed');
  await record.query('delete from rides.completed_trips');
  await taxi.app.live.projections[0]!.rebuild();
  await record.query('call billingandpayments()');
  assert.equal((await record.query('select from rides.billing')).length, 1);
  assert.equal((await trips())[0]!.status, 'Processed');
});

test('a wrong or missing parameter is 400 and names it; the kiosk can be switched off', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  for (const [path, name] of [
    ['/riderbook?rider_mobile=%2B1149213', 'rider_id'],
    ['/riderbook?rider_id=x&rider_mobile=%2B1149213', 'rider_id'],
    ['/riderbook?rider_id=1', 'rider_mobile'],
    ['/riderbook?rider_id=1&rider_mobile=abc', 'rider_mobile'],
    ['/driveraccept?rider_id=1', 'trip_info'],
    ['/driveraccept?rider_id=1&rider_id=2&trip_info=x', 'rider_id'],
    ['/drivercomplete?rider_id=1&trip_info=%00', 'trip_info'],
  ] as const) {
    const { status, body } = await taxi.call('GET', path);
    assert.equal(status, 400, path);
    assert.match(body.message, new RegExp(name));
  }
  const none = await taxi.call('GET', '/driveraccept?rider_id=1&trip_info=2020-04-05T18:52:42Z,8987397');
  assert.equal(none.status, 404);
  assert.equal((await taxi.app.record.query('select from taxi.trip_items')).length, 0);
  const closed = new TaxiClient(await testApp(t, { services: { taxi: { kiosk: false } } }));
  assert.equal((await closed.call('GET', `/riderbook?${RIDE}`)).status, 404);
});

test('REST: roles, own data, exact money, idempotency', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const [ann, bob, driver, other, admin] = await Promise.all([
    taxi.account('ann'),
    taxi.account('bob'),
    taxi.account('driver7', { role: 'driver' }),
    taxi.account('driver8', { role: 'driver' }),
    taxi.account('boss', { role: 'admin' }),
  ]);
  assert.equal((await taxi.call('POST', '/trips', { body: {} })).status, 401);
  const booking = { mobile: '+12125550123', pickup_longitude: -73.98, pickup_latitude: 40.75, passenger_count: 2 };
  const keys = await Promise.all(
    [1, 2, 3].map(() => taxi.call('POST', '/trips', { token: ann, body: booking, key: 'k1' })),
  );
  assert.equal(new Set(keys.map(({ text }) => text)).size, 1, keys[0]!.text);
  const trip = keys[0]!.body;
  assert.equal(trip.STATUS, 'Booked');
  assert.equal((await taxi.call('POST', '/trips', { token: ann, body: {}, key: 'k1' })).status, 422);
  const path = `/trips/${encodeURIComponent(trip.id)}`;
  assert.equal((await taxi.call('GET', path, { token: ann })).body.tripinfo, trip.tripinfo);
  assert.equal((await taxi.call('GET', path, { token: bob })).status, 403);
  assert.equal((await taxi.call('POST', `${path}/accept`, { token: ann })).status, 403);
  assert.equal((await taxi.call('POST', `${path}/cancel`, { token: bob })).status, 403);

  const races = await Promise.all([driver, other].map((token) => taxi.call('POST', `${path}/accept`, { token })));
  assert.deepEqual(races.map(({ status }) => status).toSorted(), [200, 409]);
  const [winner, loser] = races[0]!.status === 200 ? [driver, other] : [other, driver];
  assert.match(races.find(({ status }) => status === 409)!.body.message, /This trip is InProgress already/);
  assert.equal((await taxi.call('POST', `${path}/complete`, { token: loser })).status, 403);
  assert.equal((await taxi.call('POST', `${path}/start`, { token: winner })).status, 200);
  assert.equal((await taxi.call('POST', `${path}/start`, { token: winner })).status, 409);

  const second = (await taxi.call('POST', '/trips', { token: bob, body: {} })).body;
  const busy = await taxi.call('POST', `/trips/${encodeURIComponent(second.id)}/accept`, { token: winner });
  assert.equal(busy.status, 409);
  assert.match(busy.body.message, /is on another trip/);

  const bad = await taxi.call('POST', `${path}/complete`, { token: winner, body: { fare_amount: '12.345' } });
  assert.equal(bad.status, 400);
  assert.match(bad.body.message, /fare_amount/);
  const fare = {
    fare_amount: '12.30',
    extra: 0.1,
    mta_tax: '0.20',
    tip_amount: 0,
    tolls_amount: '0',
    improvement_surcharge: 1,
  };
  const complete = () =>
    taxi.call('POST', `${path}/complete`, {
      token: winner,
      body: { ...fare, trip_distance: 3.25, payment_type: 2 },
      key: 'c1',
    });
  const [done, again] = [await complete(), await complete()];
  assert.equal(done.status, 200, done.text);
  assert.match(done.text, /"TOTAL_AMOUNT":13.6[,}]/);
  assert.equal(again.body.DROPOFF_DATETIME, done.body.DROPOFF_DATETIME);

  const listed = await taxi.call('GET', '/trips?rider=ann', { token: ann });
  assert.deepEqual(
    listed.body.trips.map((each: Body) => each.STATUS),
    ['Completed'],
  );
  assert.equal((await taxi.call('GET', '/trips?rider=ann', { token: bob })).status, 403);
  assert.equal((await taxi.call('GET', '/trips?status=Booked', { token: loser })).body.trips.length, 1);
  const driverName = winner === driver ? 'driver7' : 'driver8';
  assert.equal((await taxi.call('GET', `/trips?driver=${driverName}`, { token: winner })).body.trips.length, 1);
  assert.equal((await taxi.call('GET', '/trips', { token: ann })).status, 400);

  assert.equal((await taxi.call('POST', '/billing', { token: driver })).status, 403);
  await until(async () => (await taxi.app.record.query('select from rides.trips')).length === 1, 'the row');
  const billed = await taxi.call('POST', '/billing', { token: admin });
  assert.deepEqual(
    { ...billed.body, cycle: undefined },
    { cycle: undefined, drivers: 1, trips: 1, billed: '13.60', paid: '10.88' },
  );
  const seen = await taxi.call('GET', '/billing');
  assert.deepEqual(seen.body.billed, { trips: 1, amount: '13.60' });
  assert.equal((await taxi.call('GET', '/billing?date=2026-13-45')).status, 400);
});
