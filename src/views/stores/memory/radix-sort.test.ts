import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortRows } from './radix-sort.ts';

function sorted(keys: readonly number[]): { rows: number[]; keys: number[] } {
  const rows = Int32Array.from(keys.keys());
  const steps = sortRows(rows, (row) => keys[row]!);
  let step = steps.next();
  while (!step.done) step = steps.next();
  assert.deepEqual(rows, Int32Array.from(keys.keys()), 'the rows given stay as they are');
  return { rows: [...step.value.rows], keys: [...step.value.keys] };
}

test('sorts by any numbers, stably, and gives the keys beside the rows', () => {
  const kinds = [
    fc.integer({ min: -3, max: 3 }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity),
  ];
  const keys = fc.constantFrom(...kinds).chain((kind) => fc.array(kind, { maxLength: 500, size: 'max' }));
  fc.assert(
    fc.property(keys, (keys) => {
      const compare = (a: number, b: number): number => (keys[a] === keys[b] ? a - b : keys[a]! < keys[b]! ? -1 : 1);
      const expected = [...keys.keys()].sort(compare);
      assert.deepEqual(sorted(keys), { rows: expected, keys: expected.map((row) => keys[row]! + 0) });
    }),
    { numRuns: 300 },
  );
});

test('rows in order already are not moved', () => {
  const keys = Array.from({ length: 1000 }, (_, i) => Math.floor(i / 3));
  assert.deepEqual(sorted(keys), { rows: [...keys.keys()], keys });
});
