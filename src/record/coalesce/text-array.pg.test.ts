import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../testing/database.ts';
import { textArray } from './text-array.ts';

test('[SPEC 9] any texts arrive as they were, NULLs between them', async (t) => {
  const { record } = await testDatabase(t);
  const arrived = async (values: readonly unknown[]) => {
    const sql = 'select value from unnest($1::text[]) with ordinality as u (value, o) order by o';
    return (await record.query(sql, [textArray(values)])).map(({ value }) => value);
  };
  const text = fc.option(fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', '')));
  await fc.assert(
    fc.asyncProperty(fc.array(text), async (values) => assert.deepEqual(await arrived(values), values)),
    { numRuns: 50 },
  );
  const large = Array.from({ length: 5 }, (_, i) => `${i}"\\€😀`.repeat(40_000));
  assert.deepEqual(await arrived(large), large);
  assert.deepEqual(await arrived([1.5, -7n, true, undefined]), ['1.5', '-7', 'true', null]);
  assert.throws(() => textArray([new Date()]), /cannot bind \[object Date\]/);
});
