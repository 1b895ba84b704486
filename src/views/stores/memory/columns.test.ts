import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Value } from '../../../record/value.ts';
import { NumberColumn } from './number-column.ts';
import { ValueColumn } from './value-column.ts';

const row = fc.oneof(fc.nat({ max: 20 }), fc.constant(40_000));
const number = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -0, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 0.5, Infinity, -Infinity),
);

/** Writes in any order; then every row written has the value written last. */
function holds<T extends Value>(
  value: fc.Arbitrary<T>,
  make: () => { get(row: number): Value; set(row: number, value: T): void },
) {
  fc.assert(
    fc.property(fc.array(fc.tuple(row, value), { maxLength: 60 }), (writes) => {
      const column = make();
      const model = new Map<number, T>();
      for (const [wanted, value] of writes) {
        const row = Math.min(wanted, model.size);
        column.set(row, value);
        model.set(row, value);
      }
      for (const [row, value] of model) assert.ok(Object.is(column.get(row), value), `${column.get(row)}`);
    }),
  );
}

test('numbers and nulls come back as they were, before and after the column widens', () => {
  holds(fc.option(number), () => new NumberColumn());
  holds(fc.option(number), () => new NumberColumn({ wide: true }));
  holds(fc.option(fc.integer({ min: -9, max: 9 })), () => new NumberColumn());
});

test('values of any type come back as they were, before and after the column turns plain', () => {
  const any = fc.oneof(number, fc.constant(Number.NaN), fc.string(), fc.boolean(), fc.bigInt(), fc.constant(null));
  holds<Value>(any, () => new ValueColumn());
  const bytes = new Uint8Array([1, 2]);
  const column = new ValueColumn();
  column.set(0, 7);
  column.set(1, bytes);
  assert.deepEqual([column.get(0), column.get(1)], [7, bytes]);
});

test('a column of 32-bit integers takes 4 bytes a row', () => {
  const column = new NumberColumn();
  for (let row = 0; row < 100_000; row++) column.set(row, row);
  assert.ok(column.bytes < 100_000 * 4 * 1.2);
  column.set(5, 2 ** 40);
  assert.ok(column.bytes < 100_000 * 8 * 1.2);
  assert.equal(column.get(99_999), 99_999);
});
