import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { testDatabase } from '../testing/database.ts';
import { type Component, migrate } from './migrate.ts';

function componentOf(
  t: TestContext,
  files: Record<string, string>,
): Component & { write(files: Record<string, string>): void } {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-migrations-'));
  t.after(() => rmSync(path, { recursive: true }));
  const write = (more: Record<string, string>) => {
    for (const [name, sql] of Object.entries(more)) writeFileSync(join(path, name), sql);
  };
  write(files);
  return { name: 'shop', schema: 'shop', folder: pathToFileURL(`${path}/`), write };
}

const FIRST = { '001-orders.sql': 'create table shop.orders (id integer);\ninsert into shop.orders values (1);' };

test('applies each file once, in order', async (t) => {
  const { record } = await testDatabase(t);
  const component = componentOf(t, FIRST);
  assert.deepEqual(await migrate(record, component), ['001-orders.sql']);
  component.write({ '002-more.sql': 'insert into shop.orders values (2)' });
  assert.deepEqual(await migrate(record, component), ['002-more.sql']);
  assert.deepEqual(await migrate(record, component), []);
  assert.deepEqual(await record.query('select id from shop.orders order by id'), [{ id: 1 }, { id: 2 }]);
});

test('concurrent starts apply a migration once', async (t) => {
  const { record } = await testDatabase(t);
  const component = componentOf(t, FIRST);
  const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(record, component)));
  assert.deepEqual(applied.flat(), ['001-orders.sql']);
  assert.deepEqual(await record.query('select id from shop.orders'), [{ id: 1 }]);
});

test('concurrent starts on a database that never had migrations', async (t) => {
  const { record } = await testDatabase(t);
  await record.query('drop schema lockstep cascade');
  const component = componentOf(t, FIRST);
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(record, component)));
  assert.deepEqual(applied.flat(), ['001-orders.sql']);
});

test('a file that fails changes nothing, and is named with its line', async (t) => {
  const { record } = await testDatabase(t);
  const component = componentOf(t, { ...FIRST, '002-bad.sql': 'create table shop.x (id integer);\nselect nonsense;' });
  await assert.rejects(migrate(record, component), /shop\/002-bad\.sql failed at line 2, .*"nonsense"/);
  assert.deepEqual(await record.query(`select to_regclass('shop.orders')::text as name`), [{ name: null }]);
});

test('a changed file and a newer database are refused', async (t) => {
  const { record } = await testDatabase(t);
  await migrate(record, componentOf(t, { ...FIRST, '002-more.sql': 'select 1' }));
  await assert.rejects(
    migrate(record, componentOf(t, { ...FIRST, '002-more.sql': 'select 2' })),
    /shop\/002-more\.sql has changed .* 003-<name>\.sql/,
  );
  await assert.rejects(
    migrate(record, componentOf(t, FIRST)),
    /newer version: shop is at 002-more\.sql.* 001-orders\.sql/,
  );
});

test('line ends do not count as a change; wrong numbers do', async (t) => {
  const { record } = await testDatabase(t);
  await migrate(record, componentOf(t, FIRST));
  const [sql] = Object.values(FIRST);
  assert.deepEqual(await migrate(record, componentOf(t, { '001-orders.sql': sql!.replaceAll('\n', '\r\n') })), []);
  await assert.rejects(migrate(record, componentOf(t, { '002-x.sql': '' })), /expected 001-<name>\.sql/);
});
