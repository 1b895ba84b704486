import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { PgRecord } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { testDatabase } from '../../testing/database.ts';
import { type BitmapShape, bitmap } from './bitmap.ts';
import { modelAnswer } from './model.ts';
import { type BitmapQuery, bits, changes, drawn, region, sequenceAt, snapshot } from './queries.ts';

const SHAPE: BitmapShape = {
  ...{ table: 'art.cells', cell: 'index', color: 'color', sequence: 'point_id', time: 'drawn_at' },
  ...{ width: 11, height: 9, colors: 16 },
};
const definition = bitmap(SHAPE);
const COLUMNS = ['index', 'color', 'point_id', 'drawn_at'];

let record: PgRecord;
before(async () => {
  ({ record } = await testDatabase({ name: 'bitmap.pg' }));
  await record.query('create schema art');
  await record.query(
    'create table art.cells (index integer primary key, color smallint, point_id bigint, drawn_at timestamptz)',
  );
});

const rows = fc
  .uniqueArray(
    fc.record(
      {
        index: fc.nat({ max: 98 }),
        color: fc.option(fc.nat({ max: 15 })),
        point_id: fc.integer({ min: 1, max: 2 ** 40 }),
        drawn_at: fc.integer({ min: 1_700_000_000_000_000, max: 1_700_000_000_000_050 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 60, selector: (row) => row.index, size: 'max' },
  )
  .filter((all) => new Set(all.map((row) => row.point_id)).size === all.length);

const query: fc.Arbitrary<BitmapQuery> = fc.oneof(
  fc.record({ after: fc.nat({ max: 2 ** 40 }), limit: fc.integer({ min: 1, max: 50 }) }).map(changes),
  fc.integer({ min: 1_700_000_000_000_000 - 5, max: 1_700_000_000_000_055 }).map(sequenceAt),
  fc
    .record({ x: fc.nat({ max: 5 }), y: fc.nat({ max: 3 }), width: fc.constant(6), height: fc.constant(5) })
    .map(region),
  fc.constantFrom<BitmapQuery>(drawn(), snapshot(), bits()),
);

test('[SPEC 5] memory, the record and the plain model give the same answers', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 20 }), async (all, queries) => {
      await record.query('truncate art.cells');
      await record.query(
        `insert into art.cells select index, color, id, 'epoch'::timestamptz + time * interval '1 microsecond'
          from unnest($1::integer[], $2::smallint[], $3::bigint[], $4::bigint[]) as new (index, color, id, time)`,
        COLUMNS.map((column) => all.map((row) => (row as Row)[column])),
      );
      const view = definition.build();
      view.load(SHAPE.table, await record.query<Row>('select * from art.cells'));
      await view.loaded();
      const fromRecord = await definition.answerFromRecord(record, queries);
      queries.forEach((asked, at) => {
        const expected = modelAnswer(SHAPE, all, asked);
        assert.deepEqual(fromRecord[at], expected);
        assert.deepEqual(view.answer(asked), expected);
      });
    }),
    { numRuns: 60 },
  );
});

test('[SPEC 9] questions outside the bitmap are refused by the record too', async () => {
  const asked = [region({ x: 5, y: 0, width: 7, height: 1 })];
  await assert.rejects(definition.answerFromRecord(record, asked), { status: 400 });
});
