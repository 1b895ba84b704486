import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, plural, seconds } from './format.ts';

test('counts, sizes and times read well', () => {
  assert.equal(count(1_234_567), '1,234,567');
  assert.deepEqual([0, 1023, 1024, 1536, 28_000_000, 2 ** 50].map(bytes), [
    '0 B',
    '1,023 B',
    '1.0 KiB',
    '1.5 KiB',
    '26.7 MiB',
    '1024.0 TiB',
  ]);
  assert.deepEqual([0.04, 9.96, 59.4, 59.6, 200].map(seconds), ['0.0 s', '10.0 s', '59 s', '1 min 0 s', '3 min 20 s']);
  assert.deepEqual([plural(1, 'row'), plural(1200, 'row')], ['1 row', '1,200 rows']);
});
