import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NodePool } from './node-pool.ts';
import type { RowOrder } from './node-tree.ts';
import { OrderedRows } from './ordered-rows.ts';

/** Rows whose order is given by three arrays, with many ties in each. */
interface Fields {
  readonly keys: readonly number[];
  readonly seconds: readonly number[];
}

type Order = RowOrder & { all(a: number, b: number): number };

function orderBy({ keys, seconds }: Fields): Order {
  const compare = (a: number, b: number): number => seconds[a]! - seconds[b]! || a - b;
  return {
    key: (row) => keys[row]!,
    second: (row) => seconds[row]!,
    compare,
    all: (a, b) => keys[a]! - keys[b]! || compare(a, b),
  };
}

const ROWS = 400;
const small = { leafCapacity: 4, innerCapacity: 4 };
const keyKinds = [fc.integer({ min: 0, max: 8 }), fc.integer(), fc.double({ noNaN: true })];
const fields = fc.constantFrom(...keyKinds).chain((key) =>
  fc.record({
    keys: fc.array(key, { minLength: ROWS, maxLength: ROWS }),
    seconds: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: ROWS, maxLength: ROWS }),
  }),
);

function assertHolds(tree: OrderedRows, expected: readonly number[], { keys }: Fields): void {
  assert.equal(tree.size, expected.length);
  assert.deepEqual(tree.range(0, ROWS), expected);
  expected.forEach((row, rank) => {
    assert.equal(tree.rank(row), rank);
    assert.deepEqual(tree.range(rank, 1), [row]);
    const equal = expected.filter((other) => keys[other] === keys[row]);
    assert.equal(tree.firstOf(keys[row]!), equal[0]);
    assert.deepEqual(tree.allOf(keys[row]!, ROWS), equal);
    assert.deepEqual(tree.allOf(keys[row]!, 1), equal.slice(0, 1));
  });
}

/** Of every row, in the tree or not. */
function assertNexts(tree: OrderedRows, expected: readonly number[], { keys }: Fields, order: Order): void {
  const passes = (row: number): boolean => row % 3 === 0;
  for (let row = 0; row < ROWS; row++) {
    const next = expected.find((other) => keys[other] === keys[row] && passes(other) && order.all(other, row) > 0);
    assert.equal(tree.nextOf(row, passes), next ?? -1);
  }
}

test('equals a sorted array after any inserts and removals, whatever the fanout', () => {
  const operations = fc.array(fc.nat({ max: ROWS - 1 }), { maxLength: 1200, size: 'max' });
  const fanouts = fc.constantFrom(small, { leafCapacity: 5, innerCapacity: 7 }, { leafCapacity: 16, innerCapacity: 4 });
  fc.assert(
    fc.property(fields, operations, fanouts, (row, toggled, fanout) => {
      const order = orderBy(row);
      const tree = new OrderedRows({ pool: new NodePool(fanout), order });
      const held = new Set<number>();
      for (const one of toggled) {
        const removed = held.delete(one);
        assert.equal(tree.remove(one), removed);
        if (removed) continue;
        tree.insert(one);
        held.add(one);
      }
      assertHolds(tree, [...held].sort(order.all), row);
      assertNexts(tree, [...held].sort(order.all), row, order);
    }),
    { numRuns: 60 },
  );
});

test('equals a sorted array when built at once, and after changes to that', () => {
  const operations = fc.array(fc.nat({ max: ROWS - 1 }), { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(fields, fc.nat({ max: ROWS }), operations, (row, length, toggled) => {
      const order = orderBy(row);
      const held = new Set(Array.from({ length }, (_, i) => i));
      const tree = new OrderedRows({ pool: new NodePool(small), order });
      const rows = Int32Array.from(held).sort(order.all);
      for (const _ of tree.build({ rows, keys: Float64Array.from(rows, order.key) }));
      assertHolds(tree, [...held].sort(order.all), row);
      for (const one of toggled) {
        if (tree.remove(one)) held.delete(one);
        else {
          tree.insert(one);
          held.add(one);
        }
      }
      assertHolds(tree, [...held].sort(order.all), row);
    }),
    { numRuns: 60 },
  );
});

test('absent rows and keys have no rank and no entries', () => {
  const order = orderBy({ keys: [1, 3, 5], seconds: [0, 0, 0] });
  const tree = new OrderedRows({ pool: new NodePool(small), order });
  assert.equal(tree.rank(0), -1);
  assert.equal(tree.firstOf(1), -1);
  assert.deepEqual(tree.allOf(1, 5), []);
  assert.deepEqual(tree.range(0, 5), []);
  assert.equal(tree.remove(0), false);
  tree.insert(1);
  assert.equal(tree.firstOf(1), -1);
  assert.equal(tree.firstOf(5), -1);
  assert.deepEqual(tree.range(1, 5), []);
});

test('a dropped tree leaves its nodes to the next one', () => {
  const keys = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5003);
  const order = orderBy({ keys, seconds: keys });
  const pool = new NodePool();
  const fill = (): OrderedRows => {
    const tree = new OrderedRows({ pool, order });
    for (let row = 0; row < keys.length; row++) tree.insert(row);
    return tree;
  };
  let tree = fill();
  const { bytes } = pool;
  for (let round = 0; round < 100; round++) {
    tree.drop();
    tree = fill();
  }
  assert.equal(pool.bytes, bytes);
  assert.deepEqual(
    tree.range(0, 5000),
    [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!),
  );
});

for (const [name, keyOf] of [
  ['ascending', (i: number) => i],
  ['descending', (i: number) => -i],
  ['random', (i: number) => Math.imul(i, 0x9e3779b1)],
] as const) {
  test(`leaves stay 80 % full with ${name} inserts, also while entries come and go`, () => {
    const count = 100_000;
    const keys = Array.from({ length: count * 2 }, (_, i) => keyOf(i));
    const order = orderBy({ keys, seconds: keys });
    const pool = new NodePool();
    const tree = new OrderedRows({ pool, order });
    for (let row = 0; row < count; row++) tree.insert(row);
    assert.ok(tree.fill >= 0.8, `after inserts: ${tree.fill}`);
    for (let row = 0; row < count; row++) {
      assert.equal(tree.remove((row * 7) % count), true);
      tree.insert(count + row);
    }
    assert.ok(tree.fill >= 0.8, `after replacing all: ${tree.fill}`);
  });
}
