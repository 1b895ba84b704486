import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './token-bucket.ts';

test('a bucket holds a burst, fills with time, and takes nothing where there is not enough', () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 5, now: () => now });
  assert.equal(bucket.take(6), false);
  assert.equal(bucket.take(4), true);
  assert.equal(bucket.take(2), false);
  assert.equal(bucket.take(1), true);
  now = 100;
  assert.equal(bucket.take(2), false);
  assert.equal(bucket.take(1), true);
  now = 1e9;
  assert.equal(bucket.take(5), true);
  assert.equal(bucket.take(1), false);
});
