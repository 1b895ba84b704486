import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemTableSql } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { DRIVERS, RIDERS, TRIPS } from './items.ts';

/** Beside those of the definitions. */
const OWN_INDEXES = ['trip_items_busy_driver'];

test("the migrations make the items' tables as they are defined", async (t) => {
  const { record } = await testApp(t);
  await record.query('create schema defined');
  for (const table of [TRIPS, RIDERS, DRIVERS])
    await record.query(itemTableSql({ ...table, name: table.name.replace('taxi', 'defined') }));
  const made = async (schema: string) => {
    const columns = await record.query(
      `select table_name, column_name, data_type, collation_name, is_nullable from information_schema.columns
        where table_schema = $1 and table_name like '%\\_items' order by 1, 2`,
      [schema],
    );
    const indexes = await record.query(
      `select indexname, replace(indexdef, $1 || '.', '') as definition from pg_indexes
        where schemaname = $1 and indexname <> all($2) order by 1`,
      [schema, OWN_INDEXES],
    );
    return { columns, indexes };
  };
  assert.deepEqual(await made('taxi'), await made('defined'));
});
