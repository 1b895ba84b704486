import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isVisible, type Snapshot, showsAllOf } from './visibility.ts';

/** Near the end of the numbers too, where transaction ids go round. */
const base = fc.constantFrom(100, 2 ** 31 - 5, 2 ** 32 - 5);
const shape = fc.record({ min: fc.nat(9), length: fc.nat(9), running: fc.uniqueArray(fc.nat(9)) });

function snapshotOf(
  base: number,
  { min, length, running }: { min: number; length: number; running: number[] },
): Snapshot {
  const xid = (n: number) => (base + n) >>> 0;
  return {
    xmin: xid(min),
    xmax: xid(min + length),
    running: running.filter((n) => n < length).map((n) => xid(min + n)),
  };
}

test('[rule 11] a snapshot shows all of another, as one transaction after the other tells', () => {
  fc.assert(
    fc.property(base, shape, shape, (base, one, other) => {
      const [later, earlier] = [snapshotOf(base, one), snapshotOf(base, other)];
      const all = Array.from({ length: 30 }, (_, n) => (base - 5 + n) >>> 0);
      const missed = all.filter((xid) => isVisible(xid, earlier) && !isVisible(xid, later));
      assert.equal(showsAllOf(later, earlier), missed.length === 0);
    }),
    { numRuns: 5000 },
  );
});
