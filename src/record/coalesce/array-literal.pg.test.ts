import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../testing/database.ts';
import { arrayLiteral } from './array-literal.ts';
import { statement } from './statement.ts';

test('[SPEC 9] any text survives as an element of an array', async (t) => {
  const { record } = await testDatabase(t);
  const text = fc.option(fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', '')));
  await fc.assert(
    fc.asyncProperty(fc.array(text), async (values) => {
      const rows = await record.query(
        'select value from unnest($1::text[]) with ordinality as u (value, o) order by o',
        [arrayLiteral(values)],
      );
      assert.deepEqual(
        rows.map(({ value }) => value),
        values,
      );
    }),
    { numRuns: 50 },
  );
});

test('numbers, booleans and bytes', async (t) => {
  const { record } = await testDatabase(t);
  const cases: [string, unknown[]][] = [
    ['double precision', [1.5, -0.1, 1e300, Number.POSITIVE_INFINITY, null]],
    ['bigint', [-5, 9223372036854775807n]],
    ['boolean', [true, false, null]],
    ['bytea', [new Uint8Array([0, 255]), new Uint8Array()]],
  ];
  for (const [type, values] of cases) {
    const rows = await record.query(`select value from unnest($1::${type}[]) as value`, [arrayLiteral(values)]);
    assert.deepEqual(
      rows.map(({ value }) => value),
      values,
    );
  }
});

test('what has no text of its own is refused', () => {
  assert.throws(() => arrayLiteral([{ a: 1 }]), /cannot bind \[object Object\]/);
  assert.throws(() => arrayLiteral([new Date()]), /cannot bind \[object Date\]/);
});

test('parameters get their types where they have none', () => {
  assert.equal(statement('f($1, $2::int[], $10)', [...'abcdefghi', 'text']).text, 'f($1::a[], $2::int[], $10::text[])');
  assert.throws(() => statement('f($2)', ['text']), /uses \$2 but declares 1 arrays/);
});
