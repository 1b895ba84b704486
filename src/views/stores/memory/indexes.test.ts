import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HashIndex } from './hash-index.ts';
import { IdIndex } from './id-index.ts';
import { Names } from './names.ts';

/** Toggles ids in the index and in a Map; both must tell the same. */
function checkIds(ids: readonly number[], reserve: boolean): void {
  const idOf: number[] = [];
  const index = new IdIndex({ idOf: (row) => idOf[row]! });
  if (reserve) index.reserve(ids.length, Math.min(...ids), Math.max(...ids));
  const model = new Map<number, number>();
  for (const id of ids) {
    assert.equal(index.find(id), model.get(id) ?? -1);
    if (model.delete(id)) index.remove(id);
    else {
      const row = idOf.push(id) - 1;
      index.add(id, row);
      model.set(id, row);
    }
  }
  for (const id of ids) assert.equal(index.find(id), model.get(id) ?? -1);
  assert.equal(index.find(-1e15), -1);
}

test('ids are found whether they are close together, far apart, negative or both', () => {
  const kinds = [
    fc.nat({ max: 300 }),
    fc.maxSafeInteger(),
    fc.integer({ min: -200_000, max: 200_000 }),
    fc.nat({ max: 50 }).map((n) => n * 2 ** 32 + 65_530),
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 400, size: 'max' }), fc.boolean(), checkIds),
  );
});

test('ids that come and go in runs, from either end or the middle, are found', () => {
  const run = fc.record({
    from: fc.integer({ min: 16_300, max: 16_400 }),
    length: fc.nat({ max: 60 }),
    down: fc.boolean(),
  });
  const idsOf = (runs: readonly { from: number; length: number; down: boolean }[]): number[] =>
    runs.flatMap(({ from, length, down }) => Array.from({ length }, (_, i) => (down ? from + length - i : from + i)));
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), fc.boolean(), (runs, reserve) => {
      const ids = idsOf(runs);
      if (ids.length > 0) checkIds(ids, reserve);
    }),
  );
});

test('a sequence of ids takes next to nothing, one with gaps 4 bytes an id; scattered ids take about 7', () => {
  const bytes = (ids: Iterable<number>): number => {
    const idOf: number[] = [];
    const index = new IdIndex({ idOf: (row) => idOf[row]! });
    const { bytes } = index;
    for (const id of ids) index.add(id, idOf.push(id) - 1);
    idOf.forEach((id, row) => {
      assert.equal(index.find(id), row);
    });
    return (index.bytes - bytes) / idOf.length;
  };
  const sequence = (length: number, step: number) => Array.from({ length }, (_, i) => 1000 + i * step);
  assert.ok(bytes(sequence(300_000, 1)) < 0.1);
  assert.ok(bytes([...sequence(900, 1), 1e12, 500_000, ...sequence(300_000, 1).slice(900)]) < 0.4);
  assert.ok(bytes(sequence(300_000, 1).filter((id) => id % 100 > 0)) < 4.5);
  assert.ok(bytes(sequence(300_000, 1_000_003)) < 9);
});

test('values with one hash for all are still found: a segment grows where it cannot split', () => {
  const index = new HashIndex({ hashOf: () => 0xdead_beef });
  for (let value = 0; value < 5000; value++) index.add(0xdead_beef, value);
  for (let value = 0; value < 5000; value += 2) index.remove(0xdead_beef, value);
  const find = (wanted: number): number => index.find(0xdead_beef, (value) => value === wanted);
  for (let value = 0; value < 5000; value += 7) assert.equal(find(value), value % 2 === 0 ? -1 : value);
  assert.equal(index.size, 2500);
});

test('a name has one number for ever, and the number its name', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    fc.nat({ max: 400 }).map((length) => 'é'.repeat(length)),
    fc.integer(),
    fc.constantFrom('', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(20_000), '7', 7),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 80, size: 'max' }), fc.array(name), (interned, others) => {
      const names = new Names();
      const numbers = new Map(interned.map((name) => [name, names.intern(name)]));
      assert.equal(new Set(numbers.values()).size, numbers.size);
      for (const [name, number] of numbers) {
        assert.equal(names.get(number), name);
        assert.equal(names.find(name), number);
        assert.equal(names.intern(name), number);
      }
      for (const other of others) assert.equal(names.find(other), numbers.get(other) ?? -1);
    }),
  );
});

test('a hundred thousand names are found again, at about 9 bytes besides their own; one larger than a buffer too', () => {
  const names = new Names();
  const large = 'large '.repeat(200_000);
  const number = names.intern(large);
  const { bytes } = names;
  const numbers = Array.from({ length: 100_000 }, (_, i) => names.intern(`name ${i}`));
  numbers.forEach((number, i) => {
    assert.equal(names.find(`name ${i}`), number);
    assert.equal(names.get(number), `name ${i}`);
  });
  assert.equal(names.get(number), large);
  assert.equal(names.find(large), number);
  assert.ok((names.bytes - bytes) / 100_000 < 10 + 11);
});
