import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import pino from 'pino';
import type { ProjectionState } from '../live/live.ts';
import { decodeRow, encodeRow } from '../live/projection/letters.ts';
import { RecordUnavailable } from '../record/failures.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord } from '../record/record.ts';
import { silentLog, testDatabase, withDatabase } from '../testing/database.ts';
import { projection } from '../views/projection/projection.ts';
import { loadConfig } from './config.ts';
import { LiveSystem } from './live-system.ts';
import { declaredSettings, type ServiceDefinition } from './service.ts';

const SOURCE = `
  create schema src;
  create table src.customers (id integer primary key, name text not null);
  create table src.orders (id integer primary key, customer integer, state text not null, amount text not null, note text);
  alter table src.orders alter column note set storage external;`;

const ledger = projection({
  schema: 'shop',
  migrations: new URL('../testing/projection-target/', import.meta.url),
  tables: [
    {
      source: 'src.customers',
      target: 'shop.customers',
      key: { id: 'integer' },
      columns: { name: 'text' },
      keyOf: ({ id }) => ({ id: id as number }),
      rowOf: ({ name }) => ({ name: name as string }),
    },
    {
      source: 'src.orders',
      target: 'shop.orders',
      key: { order_no: 'text' },
      columns: { customer: 'integer', amount: 'numeric(12, 2)' },
      keyOf: ({ id }) => ({ order_no: `N${id}` }),
      rowOf: ({ state, customer, amount }) => {
        if (amount === 'unreadable') throw new Error('the amount cannot be read');
        return state === 'done' ? { customer: customer as number, amount: amount as string } : null;
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
  projectionDatabase: { name: 'shopDatabaseUrl', env: 'SHOP_DATABASE_URL', about: '' },
  routes() {},
} satisfies ServiceDefinition;

interface Setup {
  readonly record: PgRecord;
  readonly target: PgRecord;
  readonly node: (settings?: { walLimitBytes?: number }) => Promise<LiveSystem>;
}

/** The source tables and a target: the same database, or another one of the same server. */
async function setup(t: TestContext, { apart = false } = {}): Promise<Setup> {
  const { record } = await testDatabase(t);
  await record.transaction((tx) => tx.query(SOURCE));
  const target = apart ? (await testDatabase(t)).record : record;
  const systems: LiveSystem[] = [];
  const node = async (settings = {}) => {
    const config = await loadConfig({
      env: {},
      cwd: '/',
      overrides: { databaseUrl: record.url, ...(apart && { shopDatabaseUrl: target.url }), ...settings },
      declared: declaredSettings([shop]),
    });
    const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
    const system = new LiveSystem({ config, record, log, services: [shop] });
    systems.push(system);
    t.after(() => system.stop());
    await system.start();
    const [ledger] = system.projections;
    await until(() => ['following', 'standby'].includes(ledger!.status().state), 'a start');
    return system;
  };
  return { record, target, node };
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}

const reached = (system: LiveSystem, state: ProjectionState) =>
  until(
    () => system.status().projections[0]!.state === state,
    `${state}, but ${JSON.stringify(system.status().projections)}`,
  );

const EXPECTED = `
  select 'N' || id as order_no, customer, amount::numeric(12, 2)::text as amount from src.orders
   where state = 'done' and amount ~ '^[0-9.]+$' order by 1`;
const FOUND = 'select order_no, customer, amount::text from shop.orders order by 1';

/** Reads again where the connection had been cut, which is found when it is used. */
async function read(record: PgRecord, sql: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return JSON.stringify(await record.query(sql));
    } catch (error) {
      if (!(error instanceof RecordUnavailable) || tries === 20) throw error;
    }
  }
}

/** The target shows the record. */
async function inStep(
  { record, target }: Pick<Setup, 'record' | 'target'>,
  what = 'the target shows the record',
): Promise<void> {
  const expected = await read(record, EXPECTED);
  await until(async () => (await read(target, FOUND)) === expected, what);
}

const put = (record: PgRecord, id: number, state: string, amount = '1.50', customer: number | null = null) =>
  record.query(
    `insert into src.orders values ($1, $2, $3, $4) on conflict (id) do update set state = $3, amount = $4, customer = $2`,
    [id, customer, state, amount],
  );

for (const apart of [false, true]) {
  test(`[SPEC 3] any changes arrive, in ${apart ? 'another database' : "the record's own"}, through kills and restarts`, async (t) => {
    const { record, target, node } = await setup(t, { apart });
    let system = await node();
    const change = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('put' as const),
          id: fc.integer({ min: 0, max: 12 }),
          state: fc.constantFrom('open', 'done'),
          amount: fc.integer({ min: 0, max: 999 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), id: fc.integer({ min: 0, max: 12 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom(
            'move' as const,
            'truncate' as const,
            'cut' as const,
            'restart' as const,
            'many' as const,
          ),
        }),
      },
    );
    const property = fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }),
      async (transactions) => {
        for (const changes of transactions) {
          await record.transaction(async (tx) => {
            for (const each of changes) {
              if (each.do === 'put')
                await tx.query(
                  `insert into src.orders values ($1, null, $2, $3, repeat('x', 3000)) on conflict (id) do update set state = $2, amount = $3`,
                  [each.id, each.state, `${each.amount}.25`],
                );
              else if (each.do === 'delete') await tx.query('delete from src.orders where id = $1', [each.id]);
              else if (each.do === 'move')
                await tx.query(
                  'update src.orders set id = (select max(id) + 1000 from src.orders) where id = (select min(id) from src.orders)',
                );
              else if (each.do === 'truncate') await tx.query('truncate src.orders');
              else if (each.do === 'many')
                await tx.query(
                  `update src.orders set amount = '7'; insert into src.orders select n, null, 'done', '3' from generate_series(500, 520) n on conflict do nothing`,
                );
            }
          });
          if (changes.some((each) => each.do === 'cut'))
            await read(
              record,
              `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()
                 and backend_type in ('client backend', 'walsender') and datname in ('${databaseOf(record)}', '${databaseOf(target)}')`,
            );
          if (changes.some((each) => each.do === 'restart')) {
            await system.stop();
            system = await node();
          }
        }
        await inStep({ record, target });
      },
    );
    await fc.assert(property, { numRuns: 8, endOnFailure: true });
    assert.equal(system.status().projections[0]!.deadLetters, 0);
  });
}

function databaseOf(record: PgRecord): string {
  return /\/([^/?]+)\?/.exec(record.url)![1]!;
}

test('[rule 19] a dead letter holds back later changes of its key and nothing else, and can be tried again', async (t) => {
  const { record, target, node } = await setup(t);
  const system = await node();
  await reached(system, 'following');
  await put(record, 1, 'done', '1', 77); // there is no such customer
  await put(record, 2, 'done', 'unreadable');
  await put(record, 3, 'done', '9999999999999');
  await put(record, 4, 'done', '4.00');
  const letters = () =>
    target.query<{ key: string; reason: string; held: number }>(
      'select key, reason, held from lockstep.dead_letters order by key',
    );
  await until(async () => (await letters()).length === 3, 'three letters');
  await inStep({
    record: { query: async () => [{ order_no: 'N4', customer: null, amount: '4.00' }] } as never,
    target,
  });
  const [first, second, third] = await letters();
  assert.match(first!.reason, /foreign key/);
  assert.equal(second!.reason, 'the amount cannot be read');
  assert.match(third!.reason, /overflow/);
  await put(record, 1, 'done', '2', 77);
  await put(record, 3, 'done', '3');
  await put(record, 5, 'done', '5');
  await until(async () => (await letters())[0]!.held === 1 && (await letters())[2]!.held === 1, 'held back');
  const shown = async () => (await target.query(FOUND)).map((row) => row.order_no).join();
  await until(async () => (await shown()) === 'N4,N5', 'only these two');
  await until(() => system.status().projections[0]!.deadLetters === 3, 'the status shows them');

  const { handle } = system.projections[0]!;
  assert.deepEqual(await handle.retry(), { projected: 1, failed: 2 });
  await record.query(`insert into src.customers values (77, 'late')`);
  await until(async () => (await target.query('select from shop.customers')).length === 1, 'the customer');
  assert.deepEqual(await handle.retry(), { projected: 1, failed: 1 });
  await put(record, 1, 'done', '2.50', 77);
  await put(record, 2, 'done', '2');
  await until(async () => (await letters())[0]!.held === 1, 'held back');
  assert.deepEqual(await handle.retry(), { projected: 1, failed: 0 });
  await inStep({ record, target });
  await put(record, 2, 'open');
  await inStep({ record, target });
});

test('[rule 18] a rebuild reconciles: what others add stays, ghosts go, letters are found anew', async (t) => {
  const { record, target, node } = await setup(t);
  const system = await node();
  await record.query(`insert into src.orders select n, null, 'done', n::text from generate_series(1, 9000) n`);
  await put(record, 10_000, 'done', 'unreadable');
  await until(async () => (await target.query('select from shop.orders')).length === 9000, 'all rows');
  await target.query(`update shop.orders set billed = true where amount < 5000`);
  await target.query(
    `insert into shop.orders values ('ghost'); delete from shop.orders where order_no = 'N7'`.split(';')[0]!,
  );
  await target.query(`delete from shop.orders where order_no = 'N7'`);
  await target.query(`update shop.orders set amount = 1 where order_no = 'N8'`);
  const rows: number[] = [];
  await system.projections[0]!.rebuild((done) => rows.push(done));
  await inStep({ record, target });
  assert.equal(rows.at(-1), 9001);
  await Promise.all([1, 2, 3].map(() => system.projections[0]!.rebuild()));
  const [billed] = await target.query(`select count(*)::int as n from shop.orders where billed`);
  assert.equal(billed!.n, 4998);
  assert.equal((await target.query('select from lockstep.dead_letters')).length, 1);
  await put(record, 10_001, 'done');
  await inStep({
    record: {
      query: async (sql: string) => record.query(sql.replace('where', "where amount <> 'unreadable' and")),
    } as never,
    target,
  });
});

test('[rule 14] a target that is away holds up nothing else, and catches up', async (t) => {
  const { record, target, node } = await setup(t, { apart: true });
  const system = await node();
  await reached(system, 'following');
  await put(record, 1, 'done');
  await inStep({ record, target });
  const admin = await openRecord({ url: withDatabase(record.url, 'postgres'), log: silentLog, poolSize: 1 });
  t.after(() => admin.close());
  const name = databaseOf(target);
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  await put(record, 2, 'done');
  await reached(system, 'waiting');
  const { value } = await record.transaction((tx) => tx.query('select 1 as one'));
  assert.equal(value[0]!.one, 1);
  assert.ok(system.status().ready);
  await put(record, 1, 'open');
  await admin.query(`alter database ${name} allow_connections true`);
  await inStep({ record, target });
});

test('[rule 14] [SPEC 8] a slot that keeps more than its limit is given back, and the target reconciled', async (t) => {
  const { record, target, node } = await setup(t, { apart: true });
  const first = await node();
  await reached(first, 'following');
  await put(record, 1, 'done');
  await inStep({ record, target });
  await first.stop();
  await put(record, 2, 'done');
  await record.query('delete from src.orders where id = 1');
  for (let i = 0; i < 12; i++)
    await record.query(`select pg_logical_emit_message(false, 'fill', repeat('x', 2000000))`);
  const second = await node({ walLimitBytes: 2 ** 24 });
  await inStep({ record, target });
  assert.ok(second.status().projections[0]!.rebuilds >= 1);
});

test('[rule 15] DDL that changes rows without telling leads to a reconciliation, also while nobody followed', async (t) => {
  const { record, target, node } = await setup(t);
  await put(record, 1, 'done', '5');
  const first = await node();
  await inStep({ record, target });
  await record.transaction((tx) => tx.query(`alter table src.orders alter column amount type text using '6'`));
  await inStep({ record, target });
  await first.stop();
  await record.transaction((tx) => tx.query(`alter table src.orders alter column amount type text using '7'`));
  await node();
  await inStep({ record, target });
});

test('[rule 19] of two nodes one follows; the other takes over, and the elder writes no more', async (t) => {
  const { record, target, node } = await setup(t);
  const first = await node();
  await reached(first, 'following');
  const second = await node();
  await reached(second, 'standby');
  await put(record, 1, 'done');
  await inStep({ record, target });
  await first.stop();
  await reached(second, 'following');
  await put(record, 2, 'done');
  await inStep({ record, target });
  const stale = { ...(await second.projections[0]!.target.position()), leader: 1 };
  const elder = second.projections[0]!.target;
  await assert.rejects(
    elder.writeAll(elder.definition.tables.map(() => ({ rows: new Map(), truncated: false })) as never, stale, 1),
    /moved/,
  );
});

test('[rule 19] a rebuild that was asked for fails when another node takes the turn before it begins', async (t) => {
  const { record, node } = await setup(t);
  const system = await node();
  const other = new pg.Client({ connectionString: record.url });
  await other.connect();
  const taken = other.query("select pg_advisory_lock(hashtextextended('lockstep projection shop/ledger', 0))");
  const waiting = "select from pg_locks where locktype = 'advisory' and not granted";
  await until(async () => (await record.query(waiting)).length > 0, 'the other one waits for its turn');
  await assert.rejects(system.projections[0]!.rebuild(), /Another node follows the projection/);
  await taken;
  await other.end();
  await reached(system, 'following');
  assert.equal(system.status().projections[0]!.rebuilds, 1, 'and is not made up for');
});

test('[rule 16] a node that is frozen loses its turn, and one that lives does not', async (t) => {
  const { record, target, node } = await setup(t);
  const frozen = new pg.Client({ connectionString: record.url });
  frozen.on('error', () => {});
  await frozen.connect();
  t.after(() => frozen.end());
  await frozen.query(`select pg_advisory_lock(hashtextextended('lockstep projection shop/ledger', 0))`);
  const first = await node();
  await reached(first, 'standby');
  await reached(first, 'following');
  const second = await node();
  await reached(second, 'standby');
  const { leader } = await first.projections[0]!.target.position();
  const began = performance.now();
  while (performance.now() - began < 12_000) {
    await put(record, 1, 'done', String(1 + (performance.now() % 100)));
    await sleep(100);
  }
  assert.equal(first.status().projections[0]!.state, 'following');
  assert.equal((await first.projections[0]!.target.position()).leader, leader);
  await inStep({ record, target });
  // Woken up, it finds its session ended: what held the turn before does so no more.
  await record.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'`);
  await put(record, 2, 'done');
  await inStep({ record, target });
  await until(
    () => [first, second].filter((each) => each.status().projections[0]!.state === 'following').length === 1,
    'one follows',
  );
});

test('a source row survives the dead letters', () => {
  const row = { a: 1, b: 2n ** 60n, c: new Uint8Array([1, 255]), d: 'x', e: null, f: true };
  assert.deepEqual(decodeRow(encodeRow(row)), row);
});
