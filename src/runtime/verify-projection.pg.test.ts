import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { PgRecord } from '../record/record.ts';
import { testDatabase } from '../testing/database.ts';
import { projection } from '../views/projection/projection.ts';
import { loadConfig } from './config.ts';
import { LiveSystem } from './live-system.ts';
import type { ServiceDefinition } from './service.ts';

const SOURCE = `
  create schema src;
  create table src.orders (id integer primary key, state text not null, amount text not null, note text);
  alter table src.orders alter column note set storage external;`;

const ledger = projection({
  schema: 'shop',
  migrations: new URL('../testing/projection-target/', import.meta.url),
  tables: [
    {
      source: 'src.orders',
      target: 'shop.orders',
      key: { order_no: 'text' },
      columns: { amount: 'numeric(12, 2)' },
      keyOf: ({ id }) => ({ order_no: `N${id}` }),
      rowOf: ({ state, amount }) => {
        if (amount === 'unreadable') throw new Error('the amount cannot be read');
        return state === 'done' ? { amount: amount as string } : null;
      },
    },
  ],
});

const shop = {
  name: 'shop',
  title: '',
  migrations: new URL('.', import.meta.url),
  views: {},
  projections: { ledger },
  routes() {},
} as unknown as ServiceDefinition;

async function setup(t: TestContext) {
  const { record } = await testDatabase(t);
  await record.transaction((tx) => tx.query(SOURCE));
  const config = await loadConfig({ env: {}, cwd: '/', overrides: { databaseUrl: record.url } });
  const system = new LiveSystem({ config, record, log: pino({ level: 'silent' }), services: [shop] });
  t.after(() => system.stop());
  await system.start();
  const [ledger] = system.projections;
  assert.deepEqual([(await ledger!.verify()).compared, (await ledger!.verify()).drift], [0, 0]); // it waits until there is a target
  return { record, ledger: ledger! };
}

const fill = (record: PgRecord, from: number, to: number) =>
  record.query(
    `insert into src.orders select n, case n % 3 when 0 then 'open' else 'done' end, n || '.5', repeat('x', 3000)
       from generate_series($1::integer, $2::integer) n`,
    [from, to],
  );

async function filled(record: PgRecord, rows: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(10)) {
    const [found] = await record.query('select count(*)::integer as n from shop.orders');
    if (found!.n === rows) return;
  }
  assert.fail('the target was never filled');
}

test('[SPEC 7] [rule 13] each row of a target that differs from the record is found, and named', async (t) => {
  const { record, ledger } = await setup(t);
  await fill(record, 1, 9000);
  await filled(record, 6000);
  const sound = await ledger.verify();
  assert.deepEqual([sound.view, sound.compared, sound.drift], ['shop/ledger', 6000, 0]);

  await record.query(`update shop.orders set amount = 0 where order_no = 'N4'`);
  await record.query(`delete from shop.orders where order_no = 'N5'`);
  await record.query(`insert into shop.orders (order_no, amount) values ('N6', 6.5)`);
  await record.query(`update shop.orders set billed = true where order_no = 'N7'`); // nothing of the projection's
  const { drift, examples } = await ledger.verify();
  assert.equal(drift, 3);
  assert.deepEqual(
    examples.toSorted((a, b) => (a.what < b.what ? -1 : 1)),
    [
      { what: 'shop.orders N4', inView: 'amount 0.00', inRecord: 'amount 4.50' },
      { what: 'shop.orders N5', inView: 'no row', inRecord: 'amount 5.50' },
      { what: 'shop.orders N6', inView: 'a row', inRecord: 'no row' },
    ],
  );
  await ledger.rebuild();
  assert.equal((await ledger.verify()).drift, 0);
});

test('[rule 13] a dead letter is no drift; a row that should be one and is not, is', async (t) => {
  const { record, ledger } = await setup(t);
  await fill(record, 1, 9);
  await filled(record, 6);
  await record.query(`update src.orders set amount = 'unreadable' where id = 1`);
  await record.query(`update src.orders set amount = '9999999999999' where id = 2`);
  await record.query(`insert into src.orders values (10, 'done', '1', null)`);
  await filled(record, 7);
  assert.deepEqual([(await ledger.verify()).drift, (await ledger.verify()).compared], [0, 5]);
  await record.query('delete from lockstep.dead_letters');
  const { drift, examples } = await ledger.verify();
  assert.equal(drift, 2);
  assert.match(examples[0]!.inRecord + examples[1]!.inRecord, /the amount cannot be read/);
  assert.match(examples[0]!.inRecord + examples[1]!.inRecord, /refuses.*overflow/);
});

test('[rule 13] while rows are written, moved and deleted by large and small transactions, nothing is taken for drift', async (t) => {
  const { record, ledger } = await setup(t);
  await fill(record, 1, 6000);
  await filled(record, 4000);
  let over = false;
  // Two of the many rows at once may be in each other's way: a transaction is tried again.
  const change = (sql: string, values: readonly unknown[]) => record.transaction((tx) => tx.query(sql, values));
  const write = async () => {
    for (let i = 0; !over; i++) {
      const id = 1 + ((i * 7919) % 6000);
      await change(`update src.orders set state = case state when 'open' then 'done' else 'open' end where id = $1`, [
        id,
      ]);
      await change(`update src.orders set amount = $2, note = 'n' where id = $1`, [id + 1, `${i}.25`]);
      await change(`delete from src.orders where id = $1`, [id + 2]);
      await change(`update src.orders set id = id + 100000 where id = $1`, [id + 3]);
      if (i % 60 === 30)
        await change(
          `insert into src.orders select n, 'done', $1 from generate_series(200001, 212000) n
          on conflict (id) do update set amount = excluded.amount`,
          [`${i}`],
        );
      if (i % 40 === 39) await change(`update src.orders set amount = '7' where id % 20 = 0`, []);
    }
  };
  const writers = [write(), write()];
  try {
    for (let i = 0; i < 4; i++) {
      const { drift, examples } = await ledger.verify();
      assert.equal(drift, 0, JSON.stringify(examples.slice(0, 3)));
    }
  } finally {
    over = true;
    await Promise.all(writers);
  }
});
