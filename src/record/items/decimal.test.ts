import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal, numberFrom, unitsOf } from './decimal.ts';
import { attributesToWrite, decodeAttributes, encodeAttributes } from './item.ts';
import { afterPrefix } from './pg-query.ts';

test('a decimal has one text, whatever it was written as', () => {
  for (const [text, canonical] of [
    ['12.30', '12.3'],
    ['-0.0', '0'],
    ['007', '7'],
    ['1.5e3', '1500'],
    ['15E-1', '1.5'],
    ['-1e-3', '-0.001'],
    ['0.0500', '0.05'],
  ] as const) {
    assert.equal(new Decimal(text).text, canonical);
  }
  for (const text of ['', '1.', '.5', 'NaN', '0x10', '1'.repeat(39), '1e200']) {
    assert.throws(() => new Decimal(text), RangeError);
  }
});

test('units are exact in both directions', () => {
  const units = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  fc.assert(
    fc.property(units, fc.integer({ min: 0, max: 8 }), (value, digits) => {
      assert.equal(Decimal.of(value, digits).units(digits), value);
      assert.equal(unitsOf(numberFrom(Decimal.of(value, digits).text), digits), value);
    }),
  );
  assert.throws(() => new Decimal('1.005').units(2), RangeError);
});

test('numbers survive JSON digit by digit', () => {
  const item = { a: new Decimal('12.30'), b: 2n ** 64n, c: [1, new Decimal('0.1')], d: '1.5', e: { f: -7 } };
  const text = encodeAttributes(item);
  assert.equal(text, '{"a":12.3,"b":18446744073709551616,"c":[1,0.1],"d":"1.5","e":{"f":-7}}');
  assert.deepEqual(decodeAttributes(text), item);
});

test('numbers are read exactly, however many digits they have and wherever they are', () => {
  const units = fc.oneof(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.bigInt({ min: -9999n, max: 9999n }));
  const written = fc.record({ units, digits: fc.integer({ min: 0, max: 12 }), zeros: fc.constantFrom('', '0', '000') });
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 3 }), fc.string(), (numbers, text) => {
      // As jsonb writes them: zeros at the end are kept.
      const texts = numbers.map(({ units, digits, zeros }) => {
        const { text } = Decimal.of(units, digits);
        return text.includes('.') ? text + zeros : text;
      });
      const found = decodeAttributes(
        `{"a": ${texts[0]}, "text": ${JSON.stringify(text)}, "in": {"list": [${texts.join(', ')}]}}`,
      );
      const exact = texts.map(numberFrom);
      assert.deepEqual(found, { a: exact[0], text, in: { list: exact } });
      const { a } = attributesToWrite(`{"a": ${texts[0]}}`);
      assert.deepEqual(numberFrom(String(a)), exact[0], 'written again it is the same number');
    }),
    { numRuns: 500 },
  );
});

test('an array with a hole is no attribute', () => {
  // biome-ignore lint/suspicious/noSparseArray: that is the point
  assert.throws(() => encodeAttributes({ a: [1, , 2] as never }), /a\[1\] is undefined/);
});

test('what is above a prefix is above all that begins with it, and nothing lies between', () => {
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(text, text, (prefix, other) => {
      const end = afterPrefix(prefix);
      const within = bytes(other, prefix) >= 0 && (end === undefined || bytes(other, end) < 0);
      assert.equal(within, other.startsWith(prefix));
      assert.ok(end === undefined || bytes(prefix + other, end) < 0);
    }),
  );
});
