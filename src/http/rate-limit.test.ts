import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLoopback, RateLimit } from './rate-limit.ts';
import { testServer } from './testing/server.ts';

test('a burst passes, then one request each interval', () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 10, burst: 3, now: () => now });
  const take = () => limit.take('10.0.0.1');
  assert.deepEqual([take(), take(), take()], [0, 0, 0]);
  assert.equal(take(), 100);
  now = 99;
  assert.ok(take() > 0);
  now = 100;
  assert.equal(take(), 0);
  assert.ok(take() > 0);
  assert.equal(limit.take('10.0.0.2'), 0, 'another address has its own');
});

test('what costs more takes as much as so many requests; more than a burst never passes', () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 10, burst: 5, now: () => now });
  assert.equal(limit.take('10.0.0.1', 4), 0);
  assert.equal(limit.take('10.0.0.1', 2), 100);
  assert.equal(limit.take('10.0.0.1', 1), 0, 'what was refused took nothing');
  now = 1e6;
  assert.ok(limit.take('10.0.0.1', 6) > 0);
  assert.equal(limit.take('10.0.0.1', 5), 0);
});

test('no address gets more than its burst and its rate, whenever it asks', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, (steps) => {
      let now = 0;
      let passed = 0;
      const limit = new RateLimit({ perSecond: 20, burst: 5, now: () => now });
      for (const step of steps) {
        now += step;
        if (limit.take('10.0.0.1') === 0) passed++;
      }
      assert.ok(passed <= 5 + (now * 20) / 1000 + 1e-6, `${passed} in ${now} ms`);
      assert.ok(passed >= Math.min(steps.length, 5));
    }),
  );
});

test('[SPEC 8] addresses beyond the most that are remembered are let through, and forgotten', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, maxAddresses: 2, now: () => 0 });
  for (let i = 0; i < 100; i++) assert.equal(limit.take(`10.0.0.${i}`), 0);
  assert.ok(limit.take('10.0.0.99') > 0);
});

test('one IPv6 subscriber is one address, an IPv4 address in IPv6 form is itself', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => 0 });
  assert.equal(limit.take('2001:db8::1'), 0);
  assert.ok(limit.take('2001:db8:0:0:ffff::2') > 0, 'the same /64');
  assert.ok(limit.take('2001:0db8::3') > 0);
  assert.equal(limit.take('2001:db8:0:1::1'), 0);
  assert.equal(limit.take('::ffff:10.0.0.1'), 0);
  assert.equal(limit.take('::ffff:10.0.0.2'), 0);
  assert.ok(limit.take('10.0.0.1') > 0);
});

test('this machine itself, in every form', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address);
  for (const address of ['10.0.0.1', '2001:db8::1', '::ffff:10.0.0.1']) assert.ok(!isLoopback(address), address);
});

test('the server answers 429 with Retry-After at the configured rate, this machine included', async (t) => {
  const { app } = await testServer(t, { rateLimit: 1 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await app.inject('/healthz')).statusCode);
  assert.deepEqual(statuses, [200, 200, 429]);
  const response = await app.inject('/healthz');
  assert.equal(response.headers['retry-after'], '1');
  assert.match(response.json<{ message: string }>().message, /Too many requests from your address; try again in 1 s/);
});

test('without a configured rate this machine is spared; 0 is no limit', async (t) => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, spareLoopback: true });
  assert.deepEqual([limit.take('127.0.0.1'), limit.take('127.0.0.1'), limit.take('10.0.0.1')], [0, 0, 0]);
  assert.ok(limit.take('10.0.0.1') > 0);
  const { app } = await testServer(t, { rateLimit: 0 });
  for (let i = 0; i < 5; i++) assert.equal((await app.inject('/healthz')).statusCode, 200);
});

test('X-Forwarded-For counts only from a trusted proxy', async (t) => {
  const from = (address: string) => ({
    url: '/healthz',
    headers: { 'x-forwarded-for': address },
    remoteAddress: '10.0.0.9',
  });
  const statuses = async (trustProxy: boolean | number | string[]) => {
    const { app } = await testServer(t, { rateLimit: 1, trustProxy });
    const seen = [];
    for (const address of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) seen.push((await app.inject(from(address))).statusCode);
    return seen;
  };
  assert.deepEqual(await statuses(false), [200, 200, 429]);
  assert.deepEqual(await statuses(true), [200, 200, 200]);
  assert.deepEqual(await statuses(1), [200, 200, 200]);
  assert.deepEqual(await statuses(['10.0.0.0/8']), [200, 200, 200]);
  assert.deepEqual(await statuses(['loopback']), [200, 200, 429]);
});
