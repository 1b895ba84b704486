import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { TaxiClient } from './test-client.ts';

test('what is refused is named as the caller named it', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const token = await taxi.account('ann');
  for (const mobile of ['x', ' 12125550123', '']) {
    const { status, body } = await taxi.call('POST', '/trips', { token, body: { mobile } });
    assert.equal(status, 400);
    assert.equal(body.message, 'mobile must be a telephone number of 5 to 15 digits, such as +11492133668.');
  }
  const kiosk = await taxi.call('GET', '/riderbook?rider_id=1&rider_mobile=x');
  assert.match(kiosk.body.message, /^rider_mobile must be .* \(as %2B11492133668 in a URL\)\.$/);
  assert.equal((await taxi.call('GET', '/riderbook?rider_id=1&rider_mobile=+11492133668')).status, 200);

  for (const date of ['2026-02-30', '0000-01-01', '2026-13-45', '2026-2-3', 'today']) {
    const { status, body } = await taxi.call('GET', `/billing?date=${date}`);
    assert.equal(status, 400, date);
    assert.match(body.message, /\bdate must\b/);
  }
  for (const date of ['0001-01-01', '2024-02-29', '9999-12-31'])
    assert.equal((await taxi.call('GET', `/billing?date=${date}`)).status, 200, date);
});

test('a step from the wrong state is told what it is and what it would need', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const admin = await taxi.account('boss', { role: 'admin' });
  const { body: trip } = await taxi.call('POST', '/trips', { token: admin, body: {} });
  const step = async (name: string) => {
    const { status, body } = await taxi.call('POST', `/trips/${encodeURIComponent(trip.id)}/${name}`, { token: admin });
    return status === 200 ? body.STATUS : { status, ...pick(body) };
  };
  const pick = ({ message, state, step }: Record<string, unknown>) => ({ message, state, step });
  const refused = (step: string, state: string, message: string) => ({ status: 409, message, state, step });
  const needs = (state: string, needed: string, done: string) =>
    `This trip is ${state}: only one that is ${needed} can be ${done}.`;

  assert.deepEqual(await step('start'), refused('start', 'Booked', needs('Booked', 'InProgress', 'started')));
  assert.deepEqual(await step('complete'), refused('complete', 'Booked', needs('Booked', 'InProgress', 'completed')));
  assert.equal(await step('accept'), 'InProgress');
  const twice = needs('InProgress already', 'Booked', 'accepted');
  assert.deepEqual(await step('accept'), refused('accept', 'InProgress', twice));
  assert.equal(await step('start'), 'InProgress');
  assert.deepEqual(await step('start'), refused('start', 'InProgress', 'This trip was started already.'));
  assert.equal(await step('complete'), 'Completed');
  assert.deepEqual(await step('start'), refused('start', 'Completed', needs('Completed', 'InProgress', 'started')));
  const over = needs('Completed', 'Booked or InProgress', 'cancelled');
  assert.deepEqual(await step('cancel'), refused('cancel', 'Completed', over));
});

test('who has not signed in is told so, and nothing of what is wrong with the request', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const booked = '/trips/person1@example.com,2020-04-05T18:52:42Z,8987397';
  for (const [method, path, body] of [
    ['POST', '/trips', { mobile: 5 }],
    ['POST', '/trips', 'text'],
    ['POST', `${booked}/accept`, { driver_id: 'x' }],
    ['POST', `${booked}/start`, { unknown: true }],
    ['GET', `/trips/${'x'.repeat(190)}`, undefined],
    ['GET', '/trips?limit=x', undefined],
    ['POST', '/billing', undefined],
  ] as const) {
    for (const token of [undefined, 'none'])
      assert.equal((await taxi.call(method, path, { body, ...(token && { token }) })).status, 401, path);
  }
});

test('a repeat is one whatever the order of its members', async (t) => {
  const taxi = new TaxiClient(await testApp(t));
  const token = await taxi.account('ann');
  const book = (body: unknown) => taxi.call('POST', '/trips', { token, key: 'k', body });
  const first = await book({ passenger_count: 2, pickup_longitude: -73.98, pickup_latitude: 40.75 });
  const again = await book({ pickup_latitude: 40.75, passenger_count: 2, pickup_longitude: -73.98 });
  assert.deepEqual([again.status, again.body], [200, first.body]);
  const other = await book({ passenger_count: 3, pickup_longitude: -73.98, pickup_latitude: 40.75 });
  assert.equal(other.status, 422);
});
