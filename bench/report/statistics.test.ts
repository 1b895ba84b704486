import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medianRatio, number, percentile, spread } from './statistics.ts';

test('the median of odd and even numbers of values, in any order', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('a ratio compares round by round: a slow round for both sides changes nothing', () => {
  assert.equal(medianRatio([100, 10, 100], [50, 5, 50]), 2);
});

test('percentiles are values that occurred; 1 gives the last', () => {
  const sorted = Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual(
    [0.5, 0.99, 1].map((share) => percentile(sorted, share)),
    [50, 99, 99],
  );
});

test('numbers have three significant digits or all before the point', () => {
  assert.deepEqual([25_712.3, 31.25, 0.306].map(number), ['25,712', '31.3', '0.31']);
  assert.equal(spread([3, 1, 2]), '2 (1 - 3)');
});
