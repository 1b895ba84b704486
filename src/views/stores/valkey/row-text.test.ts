import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idOf, placeOf } from './place.ts';
import { rowFrom, rowText, valueFrom, valueText } from './row-text.ts';

/** Lone halves of pairs too, which JSON escapes. */
const text = fc.string({ unit: 'binary' });
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const value = fc.oneof(
  text,
  fc.double(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  int8.filter((number) => !Number.isSafeInteger(Number(number))),
  fc.uint8Array(),
);

test('[SPEC 3] a row is the same after it was text: any Unicode, integers beyond 2^53, bytes, numbers that JSON lacks', () => {
  fc.assert(
    fc.property(fc.record({ a: value, b: value, 'c\n"': value }, { noNullPrototype: true }), (row) => {
      const columns = Object.keys(row);
      const written = rowText(row, columns);
      assert.equal(written.split('\n').length, columns.length);
      assert.deepEqual(rowFrom(written, columns), row);
    }),
    { numRuns: 2000 },
  );
});

test('values of different types have different texts', () => {
  const all = [1, '1', 1.5, '1n', true, 'true', null, 'null', '', 2n ** 60n, 2 ** 60, 'base64:', new Uint8Array()];
  assert.equal(new Set(all.map(valueText)).size, all.length);
  for (const each of all) assert.deepEqual(valueFrom(valueText(each)), each);
});

test('a row with a value that the log did not carry is not known whole', () => {
  assert.equal(rowFrom(rowText({ a: 1, b: undefined }, ['a', 'b']), ['a', 'b']), undefined);
});

test('places of integers sort as text in their order, and give the integers back', () => {
  const id = int8.map((number) => (Number.isSafeInteger(Number(number)) ? Number(number) : number));
  fc.assert(
    fc.property(fc.oneof(id, fc.integer({ min: -20, max: 20 })), id, (a, b) => {
      assert.equal(placeOf(a) < placeOf(b), a < b);
      assert.equal(placeOf(a).length, 20);
      assert.equal(idOf(placeOf(a)), a);
    }),
    { numRuns: 2000 },
  );
});
