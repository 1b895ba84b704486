import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import { bitmap } from '../../bitmap/bitmap.ts';
import { modelAnswer } from '../../bitmap/model.ts';
import { type BitmapQuery, bits, changes, drawn, region, snapshot } from '../../bitmap/queries.ts';
import { query, row, SHAPE, TABLE } from '../../bitmap/test-cells.ts';
import { viewContract } from '../../contract.ts';
import { MemoryBitmap } from './bitmap.ts';

const build = () => new MemoryBitmap({ shape: SHAPE });

viewContract<BitmapQuery>({
  name: 'bitmap in memory',
  definition: { build },
  table: TABLE,
  ids: 90,
  row,
  query,
  model: (rows, asked) => modelAnswer(SHAPE, rows, asked),
});

test('the whole, with colours and as bits, equals the plain model', async () => {
  const small = { ...SHAPE, width: 11, height: 9 };
  const rows = fc.uniqueArray(fc.nat({ max: 98 }).chain(row), { selector: (each) => each.index, maxLength: 99 });
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const view = new MemoryBitmap({ shape: small });
      view.load(TABLE.name, all);
      await view.loaded();
      assert.deepEqual(view.answer(snapshot()), modelAnswer(small, all, snapshot()));
      const { time, ...found } = view.answer(bits()) as { time: number };
      const { time: _, ...expected } = modelAnswer(small, all, bits()) as { time: number };
      assert.deepEqual(found, expected);
      const newest = all.filter((each) => each.point_id === (found as { sequence?: number }).sequence);
      assert.ok(all.length === 0 ? time === 0 : newest.some((each) => each.drawn_at === time));
    }),
  );
});

test('[SPEC 5] a row that is no cell stops the answers until it is gone', async () => {
  const view = build();
  const good = { index: 3, color: 1, point_id: 1, drawn_at: 0 };
  const bad: Row[] = [
    { ...good, index: 77 * 2600 },
    { ...good, index: -1 },
    { ...good, color: 16 },
    { ...good, point_id: 0 },
    { ...good, point_id: 2n ** 60n },
    { ...good, drawn_at: Number.POSITIVE_INFINITY },
  ];
  for (const after of bad) {
    view.apply([{ op: 'insert', table: TABLE, before: null, after } as Change]);
    assert.equal(view.answer(drawn()), undefined);
    const { index } = after;
    view.apply([{ op: 'delete', table: TABLE, before: { index }, after: null } as Change]);
    assert.equal(view.answer(drawn()), 0);
  }
});

test('the order is kept small however often a few cells change', () => {
  const view = build();
  for (let i = 1; i <= 100_000; i++) {
    const after = { index: i % 10, color: i % 16, point_id: i, drawn_at: i };
    view.apply([{ op: 'update', table: TABLE, before: null, after } as Change]);
  }
  assert.ok(view.stats().bytes < build().stats().bytes + 100_000);
  const { cells, sequence, complete } = view.answer(changes({ after: 99_995, limit: 100 })) as ReturnType<
    typeof Object
  >;
  assert.deepEqual([[...cells], sequence, complete], [[6, 7, 8, 9, 0], 100_000, true]);
});

test('[SPEC 9] questions outside the bitmap are refused', () => {
  const view = build();
  const refused = [
    region({ x: 70, y: 0, width: 8, height: 1 }),
    region({ x: -1, y: 0, width: 1, height: 1 }),
    region({ x: 0.5, y: 0, width: 1, height: 1 }),
    changes({ after: -1, limit: 5 }),
    changes({ after: 0, limit: 1e9 }),
  ];
  for (const query of refused) assert.throws(() => view.answer(query), { status: 400 });
  const table = { table: 't.t', cell: 'c', color: 'k', sequence: 's', time: 't' };
  assert.throws(() => bitmap({ ...table, width: 5000, height: 5000 }), /at most 16777216 cells/);
  assert.throws(() => bitmap({ ...table, width: 10, height: 10, colors: 256 }), /at most .* 255 colors/);
});
