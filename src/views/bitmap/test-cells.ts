import fc from 'fast-check';
import type { Table } from '../../changes/change.ts';
import type { Row } from '../../record/value.ts';
import type { BitmapShape } from './bitmap.ts';
import { type BitmapQuery, changes, drawn, region, sequenceAt } from './queries.ts';

// Cells at random, and questions about them: what the tests of all stores take.

const COLUMNS = ['index', 'color', 'point_id', 'drawn_at'];
export const TABLE: Table = {
  oid: 1,
  name: 'test.cells',
  columns: COLUMNS.map((name) => ({ name, type: 20 })),
  key: ['index'],
  full: false,
};
/** Rows end within a byte; the contract's memory test needs 200,000 cells. */
export const SHAPE: BitmapShape = {
  ...{ table: TABLE.name, cell: 'index', color: 'color', sequence: 'point_id', time: 'drawn_at' },
  ...{ width: 77, height: 2600, colors: 16 },
};

export const row = (index: number): fc.Arbitrary<Row> =>
  fc.record(
    {
      index: fc.constant(index),
      color: fc.option(fc.nat({ max: 15 })),
      point_id: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 40 })),
      drawn_at: fc.nat({ max: 50 }),
    },
    { noNullPrototype: true },
  );
const after = fc.oneof(fc.nat({ max: 22 }), fc.nat({ max: 2 ** 40 }));
export const query: fc.Arbitrary<BitmapQuery> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ after, limit: fc.integer({ min: 1, max: 50 }) }).map(changes) },
  { weight: 2, arbitrary: fc.nat({ max: 55 }).map(sequenceAt) },
  {
    weight: 2,
    arbitrary: fc
      .record({ x: fc.nat({ max: 70 }), y: fc.nat({ max: 3 }), width: fc.constant(7), height: fc.constant(2) })
      .map(region),
  },
  { weight: 1, arbitrary: fc.constant(drawn()) },
);
