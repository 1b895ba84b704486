import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { civilFromDays, daysFromCivil, isDate, isoToMicros, MICROS_PER_DAY, microsToIso, nowMicros } from './time.ts';

const DATE_LIMIT = 8.64e15 / MICROS_PER_DAY / 1000;

test('dates to days and back, as JavaScript counts them', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
      const { year, month, day } = civilFromDays(days);
      assert.equal(daysFromCivil(year, month, day), days);
      assert.ok(isDate(year, month, day));
      if (Math.abs(days) > DATE_LIMIT) return;
      const date = new Date(days * 86_400_000);
      assert.deepEqual([year, month, day], [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]);
    }),
  );
});

test('microseconds to ISO text and back, to the microsecond', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (micros) => {
      const text = microsToIso(micros);
      assert.equal(isoToMicros(text), micros);
      assert.equal(Date.parse(text), Math.floor(micros / 1000));
    }),
  );
});

test('the forms of ISO text', () => {
  const cases: [string, string | undefined][] = [
    ['2019-11-06T04:03:45', '2019-11-06T04:03:45.000Z'],
    ['2019-11-06 04:03:45.123456Z', '2019-11-06T04:03:45.123456Z'],
    ['2019-11-06T04:03:45.1234569Z', '2019-11-06T04:03:45.123456Z'],
    ['2019-11-06T04:03:45.5+02:00', '2019-11-06T02:03:45.500Z'],
    ['2019-11-06T04:03-0130', '2019-11-06T05:33:00.000Z'],
    ['2020-02-29', '2020-02-29T00:00:00.000Z'],
    ['-000043-03-15', '-000043-03-15T00:00:00.000Z'],
    ['infinity', 'infinity'],
    ['-infinity', '-infinity'],
    ['2019-02-29', undefined],
    ['2019-13-01', undefined],
    ['2019-11-06T24:00:00Z', undefined],
    ['2019-11-06T04:03:45+24:00', undefined],
    ['2019-1-6', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    const micros = isoToMicros(text);
    assert.equal(micros === undefined ? undefined : microsToIso(micros), expected, text);
  }
});

test('now follows the wall clock', () => {
  assert.ok(Math.abs(nowMicros() / 1000 - Date.now()) < 1000);
});
