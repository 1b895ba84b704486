import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../src/index.ts';
import { packed } from './protocol.ts';
import { CELLS, Tick } from './tick.ts';

const table = { oid: 1, name: CELLS, columns: [], key: ['index'], full: false };

function point(point_id: number): Change {
  return { op: 'insert', table, before: null, after: { index: point_id, color: 3, point_id, drawn_at: 0 } };
}

test('who has a part of a tick already gets the rest of it', () => {
  const tick = new Tick({ after: 4 });
  for (const id of [5, 6, 9]) assert.ok(tick.take(point(id)));
  const of = (...ids: number[]) => Uint32Array.from(ids, (id) => packed(id, 4));
  for (const [sequence, rest] of [
    [3, of(5, 6, 9)],
    [4, of(5, 6, 9)],
    [5, of(6, 9)],
    [7, of(9)],
    [9, of()],
    [12, of()],
  ] as const)
    assert.deepEqual(tick.pointsAfter(sequence), rest);
  assert.equal(tick.sequence, 9);
});

test('what is no point, or comes out of order, is not taken', () => {
  const tick = new Tick({ after: 4 });
  assert.equal(tick.take(point(4)), false);
  assert.equal(tick.take({ op: 'truncate', table, before: null, after: null }), false);
  assert.ok(tick.isEmpty);
});
