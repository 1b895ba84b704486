import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY, dayOf, monthOf, parseDay, windowBounds, windowNumber } from './window.ts';

const date = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});

test('days and months are those of the calendar in UTC, leap years and negative times included', () => {
  fc.assert(
    fc.property(date, fc.nat({ max: 999 }), (date, micros) => {
      const day = dayOf(date.getTime() * 1000 + micros);
      assert.equal(day, parseDay(date.toISOString().slice(0, 10)));
      assert.equal(monthOf(day), date.getUTCFullYear() * 12 + date.getUTCMonth());
    }),
    { numRuns: 2000 },
  );
});

test('a window holds exactly the times between its bounds', () => {
  fc.assert(
    fc.property(date, fc.constantFrom('monthly' as const, 'daily' as const), (date, window) => {
      const of = { board: 'games', window, date: date.toISOString().slice(0, 10) } as const;
      const [from, to] = windowBounds(of)!.map((text) => Date.parse(text.replace(/^(\d{5,})/, '+0$1')) * 1000);
      const numberOf = (time: number) => (window === 'daily' ? dayOf(time) : monthOf(dayOf(time)));
      const number = windowNumber(of);
      assert.equal(numberOf(from!), number);
      assert.equal(numberOf(to! - DAY), number);
      assert.equal(numberOf(to!), number! + 1);
      assert.equal(numberOf(from! - DAY), number! - 1);
    }),
  );
});

test('infinite times lie in no window', () => {
  assert.equal(Number.isFinite(dayOf(Number.POSITIVE_INFINITY)), false);
  assert.equal(Number.isNaN(monthOf(Number.NEGATIVE_INFINITY)), true);
});

test('[SPEC 9] what is no date is refused with a message that says what to do', () => {
  for (const text of [undefined, '', 'today', '2026-1-1', '20261120', '2026-11-20 ', '٢٠٢٦-١١-٢٠', 'x'.repeat(9999)]) {
    assert.throws(() => parseDay(text), { status: 400, message: /must be written yyyy-mm-dd.{0,80}$/ });
  }
  for (const text of ['2026-02-29', '2026-04-31', '2026-00-10', '2026-13-01', '2026-01-00', '0000-01-01']) {
    assert.throws(() => parseDay(text), { status: 400, message: `There is no such date; found "${text}".` });
  }
  assert.equal(parseDay('2024-02-29'), 19_782);
});
