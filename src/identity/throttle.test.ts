import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientError } from '../record/errors.ts';
import { MICROS_PER_SECOND } from '../record/time.ts';
import { addressKey } from './address.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Throttle } from './throttle.ts';

const tooMany = (retryAfter: string) => (error: unknown) =>
  error instanceof ClientError && error.status === 429 && error.headers['retry-after'] === retryAfter;

test('[SPEC 8] a burst, then one attempt each interval; 429 says when', () => {
  let now = 0;
  const throttle = new Throttle({ burst: 3, everySeconds: 10, clock: () => now });
  for (let i = 0; i < 3; i++) {
    throttle.check('a');
    throttle.count('a');
  }
  assert.throws(() => throttle.check('a'), tooMany('10'));
  throttle.check('b');
  now += 9.5 * MICROS_PER_SECOND;
  assert.throws(() => throttle.check('a'), tooMany('1'));
  now += 0.5 * MICROS_PER_SECOND;
  throttle.check('a');
  throttle.count('a');
  assert.throws(() => throttle.check('a'), tooMany('10'));
  throttle.giveBack('a');
  throttle.check('a');
});

test('[SPEC 8] never more than burst + elapsed / interval attempts, in any order of events', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (waits, burst) => {
      let now = 0;
      let admitted = 0;
      const throttle = new Throttle({ burst, everySeconds: 10, clock: () => now });
      for (const wait of waits) {
        now += wait * MICROS_PER_SECOND;
        try {
          throttle.check('k');
          throttle.count('k');
          admitted++;
        } catch {
          // Refused, and so not counted.
        }
        assert.ok(admitted <= burst + now / (10 * MICROS_PER_SECOND));
      }
    }),
  );
});

test('[SPEC 8] keys remembered are bounded, and the used ones stay longest', () => {
  const throttle = new Throttle({ burst: 1, everySeconds: 10, clock: () => 0, maxKeys: 3 });
  for (const key of ['a', 'b', 'c', 'a', 'd']) throttle.count(key);
  assert.equal(throttle.size, 3);
  assert.throws(() => throttle.check('a'), tooMany('20'));
  throttle.check('b');
});

test('[SPEC 8] wrong passwords lock one account, right ones nobody, and many at once are no way around', () => {
  const throttle = new LoginThrottle({ clock: () => 0 });
  for (let i = 0; i < 1000; i++) throttle.start('right', '10.0.0.1').end();
  const atOnce = Array.from({ length: 20 }, () => throttle.start('Victim', '10.0.0.2'));
  assert.throws(() => throttle.start('victim', '10.0.0.3'), tooMany('30'));
  for (const attempt of atOnce) {
    attempt.fail();
    attempt.end();
  }
  assert.throws(() => throttle.start('VICTIM', '10.0.0.3'), tooMany('30'));
  throttle.start('other', '10.0.0.2').end();
});

test('[SPEC 8] one address gets no further by changing accounts', () => {
  const throttle = new LoginThrottle({ clock: () => 0 });
  for (let i = 0; i < 100; i++) {
    const attempt = throttle.start(`user${i}`, `2001:db8::${i.toString(16)}`);
    attempt.fail();
    attempt.end();
  }
  assert.throws(() => throttle.start('next', '2001:db8:0:0:ffff::1'), tooMany('1'));
  throttle.start('next', '2001:db8:0:1::1').end();
});

test('addresses: an IPv6 client is its /64, a mapped IPv4 address itself', () => {
  assert.equal(addressKey('192.0.2.7'), '192.0.2.7');
  assert.equal(addressKey('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(addressKey('::1'), '0:0:0:0::/64');
  assert.equal(addressKey('2001:0DB8::1'), '2001:db8:0:0::/64');
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(addressKey('unix'), 'unix');
});
