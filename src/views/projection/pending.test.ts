import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change, Table } from '../../changes/change.ts';
import { AbsentKeys, PendingTable } from './pending.ts';
import type { ProjectedTable } from './projection.ts';

const source = { name: 'src.orders', key: ['id'] } as unknown as Table;
const orders: ProjectedTable = {
  source: 'src.orders',
  target: 'shop.orders',
  key: { id: 'integer' },
  columns: { amount: 'integer' },
  keyOf: ({ id }) => ({ id: id as number }),
  rowOf: ({ done, amount }) => (done ? { amount: amount as number } : null),
};

interface Order {
  readonly id: number;
  readonly done: boolean;
  readonly amount: number;
}

const id = fc.integer({ min: 0, max: 4 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), id, done: fc.boolean(), amount: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), id, to: id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const) }) },
);

/** The step as the log tells it of these orders, which it changes. */
function changeOf(orders: Map<number, Order>, each: typeof step extends fc.Arbitrary<infer S> ? S : never): unknown {
  const before = 'id' in each ? orders.get(each.id) : undefined;
  if (each.do === 'put') {
    const after = { id: each.id, done: each.done, amount: each.amount };
    orders.set(each.id, after);
    return { op: before ? 'update' : 'insert', table: source, before: null, after };
  }
  if (each.do === 'delete' && before) {
    orders.delete(each.id);
    return { op: 'delete', table: source, before: { id: each.id } };
  }
  if (each.do === 'move' && before && !orders.has(each.to)) {
    orders.delete(each.id);
    orders.set(each.to, { ...before, id: each.to });
    return { op: 'update', table: source, before: { id: each.id }, after: { ...before, id: each.to } };
  }
  if (each.do !== 'truncate') return undefined;
  orders.clear();
  return { op: 'truncate', table: source };
}

test('whatever happens, in whatever batches, what is written makes the target what the source says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [source, target, absent] = [new Map<number, Order>(), new Map<string, string>(), new AbsentKeys()];
      let batch = new PendingTable(orders, absent);
      const write = () => {
        if (batch.truncated) target.clear();
        for (const [name, { values }] of batch.rows) {
          if (values) target.set(name, values[0]!);
          else target.delete(name);
        }
        batch = new PendingTable(orders, absent);
        const wanted = [...source.values()]
          .filter(({ done }) => done)
          .map((each) => [`["${each.id}"]`, `${each.amount}`]);
        assert.deepEqual([...target].sort(), wanted.sort());
      };
      for (const each of steps) {
        if (each.do === 'write') write();
        const change = changeOf(source, each);
        if (change) batch.add(change as Change, () => false);
      }
      write();
    }),
    { numRuns: 2000 },
  );
});

test('a row that never had one in the target needs no statement, until it has one', () => {
  const absent = new AbsentKeys();
  const waiting = (...changes: unknown[]) => {
    const batch = new PendingTable(orders, absent);
    for (const change of changes) batch.add(change as Change, () => false);
    return [...batch.rows.values()].map(({ values }) => values);
  };
  const after = (done: boolean) => ({ id: 1, done, amount: 5 });
  const update = (done: boolean) => ({ op: 'update', table: source, before: null, after: after(done) });
  assert.deepEqual(waiting({ op: 'insert', table: source, after: after(false) }), []);
  assert.deepEqual(waiting(update(false)), []);
  assert.deepEqual(waiting(update(true)), [['5']]);
  assert.deepEqual(waiting(update(false)), [null]);
});
