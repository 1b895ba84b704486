import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decoderFor } from '../../record/decode.ts';
import { byteDecoderFor } from './bytes.ts';

/** The bytes in the midst of others, as in a chunk. */
function decodeBytes(type: number, text: string) {
  const bytes = Buffer.from(text);
  const chunk = Buffer.concat([Buffer.from('9-:'), bytes, Buffer.from('+00 7')]);
  return byteDecoderFor(type)(chunk, 3, 3 + bytes.length);
}

function same(type: number, text: string) {
  assert.deepEqual(decodeBytes(type, text), decoderFor(type)(text), `type ${type}: ${text}`);
}

test('bytes decode to what their text decodes to: integers', () => {
  fc.assert(fc.property(fc.integer(), (value) => same(23, String(value))));
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => same(20, String(value))));
});

test('bytes decode to what their text decodes to: times', () => {
  const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'));
  const fraction = fc.option(fc.stringMatching(/^[0-9]{1,6}$/), { nil: undefined });
  const zone = fc.constantFrom('', '+00', '+05:30', '-08');
  const time = fc.tuple(two, two, two, two, two, two, two, fraction, zone);
  fc.assert(
    fc.property(time, ([century, year, month, day, hour, minute, second, micros, offset]) => {
      const part = micros === undefined ? '' : `.${micros}`;
      const text = `${century}${year}-${month}-${day} ${hour}:${minute}:${second}${part}${offset}`;
      same(offset === '' ? 1114 : 1184, text);
    }),
  );
  for (const text of ['infinity', '-infinity', '0044-03-15 12:00:00+00 BC', '12026-01-01 00:00:00.5+00'])
    same(1184, text);
});

test('bytes decode to what their text decodes to: everything else', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => same(25, text)));
  fc.assert(fc.property(fc.double(), (value) => same(701, String(value))));
  for (const [type, text] of [
    [16, 't'],
    [16, 'f'],
    [17, '\\x00ff10'],
    [1700, '123456789012345678901234567890.0001'],
    [1043, 'åßç'],
    [2950, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ] as const) {
    same(type, text);
  }
});
