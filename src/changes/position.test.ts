import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatLsn, formatPosition, parseLsn, parsePosition } from './position.ts';

const lsn = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('LSNs go to text and back', () => {
  fc.assert(fc.property(lsn, (value) => assert.equal(parseLsn(formatLsn(value)), value)));
  assert.equal(formatLsn(parseLsn('16/B374D848')), '16/B374D848');
  for (const text of ['', '1', '1/', '/1', '1/123456789', 'g/1', '1/1 '])
    assert.throws(() => parseLsn(text), /not an LSN/);
});

test('[SPEC 9] positions go to text and back, and no text breaks the way back', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-z]{1,32}$/), lsn, (epoch, value) => {
      assert.deepEqual(parsePosition(formatPosition({ epoch, lsn: value })), { epoch, lsn: value });
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parsePosition(text)));
  for (const text of ['', '-', 'a', 'a-', '-1', 'a-zzzzzzzzzzz', 'a-1-2', 'A-1'])
    assert.equal(parsePosition(text), undefined);
});
