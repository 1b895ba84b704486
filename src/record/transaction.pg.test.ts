import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../testing/database.ts';
import { faultProxy } from '../testing/fault-proxy.ts';
import { RecordUnknownOutcome } from './failures.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';
import type { PgRecord } from './record.ts';

async function withTable(t: TestContext) {
  const database = await testDatabase(t);
  await database.record.query(
    'create table t (id integer primary key deferrable initially deferred, n integer not null default 0)',
  );
  return database;
}

const ids = async (record: PgRecord) => (await record.query('select id from t order by id')).map(({ id }) => id);

test('the receipt is the transaction, and null where nothing was written', async (t) => {
  const { record } = await withTable(t);
  const { value, receipt } = await record.transaction(async (tx) => {
    await tx.query('insert into t values ($1)', [1]);
    return tx.query('select pg_current_xact_id()::text as xid');
  });
  assert.equal(receipt.xid, BigInt(value[0]!.xid as string));
  const read = await record.transaction((tx) => tx.query('select 1 as one'), { readOnly: true });
  assert.deepEqual(read, { value: [{ one: 1 }], receipt: { xid: null } });
});

test('what work throws rolls back, and so does a constraint checked at COMMIT', async (t) => {
  const { record } = await withTable(t);
  const failing = record.transaction(async (tx) => {
    await tx.query('insert into t values (1)');
    throw new Error('no');
  });
  await assert.rejects(failing, /^Error: no$/);
  const twice = record.transaction(async (tx) => {
    await tx.query('insert into t values (2)');
    await tx.query('insert into t values (2)');
  });
  await assert.rejects(twice, { code: '23505' });
  assert.deepEqual(await ids(record), []);
});

test('a statement that failed and was ignored is no success: nothing was committed', async (t) => {
  const { record } = await withTable(t);
  const ignoring = record.transaction(async (tx) => {
    await tx.query('insert into t values (1)');
    await tx.query('select nonsense').catch(() => {});
  });
  await assert.rejects(ignoring, { code: '25P02' });
  assert.deepEqual(await ids(record), []);
});

test('a transaction cannot be used after its end', async (t) => {
  const { record } = await withTable(t);
  const { value: kept } = await record.transaction(async (tx) => ({ tx }));
  await assert.rejects(kept.tx.query('insert into t values (1)'), /this transaction is over/);
});

test('conflicts are tried again: increments of serializable transactions all count', async (t) => {
  const { record } = await withTable(t);
  await record.query('insert into t values (1)');
  let tries = 0;
  const increment = () =>
    record.transaction(
      async (tx) => {
        tries++;
        const [row] = await tx.query<{ n: number }>('select n from t where id = 1');
        await tx.query('update t set n = $1 where id = 1', [row!.n + 1]);
      },
      { isolation: 'serializable' },
    );
  await Promise.all([increment(), increment(), increment()]);
  assert.deepEqual(await record.query('select n from t'), [{ n: 3 }]);
  assert.ok(tries >= 3);
});

test('a deadlock ends with both done', async (t) => {
  const { record } = await withTable(t);
  await record.query('insert into t values (1), (2)');
  let locked = 0;
  const both = Promise.withResolvers<void>();
  const update = (first: number, second: number) =>
    record.transaction(async (tx) => {
      await tx.query(`set local deadlock_timeout = '50ms'`);
      await tx.query('update t set n = n + 1 where id = $1', [first]);
      if (++locked === 2) both.resolve();
      await both.promise;
      await tx.query('update t set n = n + 1 where id = $1', [second]);
    });
  await Promise.all([update(1, 2), update(2, 1)]);
  assert.deepEqual(await record.query('select n from t order by id'), [{ n: 2 }, { n: 2 }]);
});

test('[rule 17] a connection lost before COMMIT is tried again; one lost at COMMIT is told honestly', async (t) => {
  const { record, url } = await withTable(t);
  const proxy = await faultProxy(t, url);
  const proxied = await openRecord({ url: proxy.url, log: silent });
  t.after(() => proxied.close());
  const insert = (id: number) => proxied.transaction((tx) => tx.query(`insert into t values (${id})`));
  proxy.cutOn('insert into t values (1)', 'after');
  await insert(1);
  proxy.cutOn('commit', 'after');
  await assert.rejects(insert(2), (error) => error instanceof RecordUnknownOutcome && error.status === 503);
  proxy.cutOn('commit', 'before');
  await assert.rejects(insert(3), RecordUnknownOutcome);
  assert.equal(proxy.cuts, 3);
  assert.deepEqual(await ids(record), [1, 2]);
});

test("a caller's own error that looks like a lost connection is not tried again", async (t) => {
  const { record } = await withTable(t);
  let tries = 0;
  const reading = record.transaction(async () => {
    tries++;
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  });
  await assert.rejects(reading, { code: 'ENOENT' });
  assert.equal(tries, 1);
});

test('COPY is all or nothing, and the transaction goes on after it', async (t) => {
  const { record } = await withTable(t);
  const load = (chunks: () => AsyncGenerator<string>) =>
    record.transaction(async (tx) => {
      const rows = await record.copyIn(tx, 'public.t', ['id', 'n'], chunks());
      await tx.query('update t set n = n + 1');
      return rows;
    });
  const loaded = await load(async function* () {
    for (let i = 1; i <= 5000; i++) yield `${i}\t${i}\n`;
  });
  assert.equal(loaded.value, 5000);
  const failingSource = load(async function* () {
    yield '9001\t1\n';
    throw Object.assign(new Error('line 2 is bad'), { code: 'ENOENT' });
  });
  await assert.rejects(failingSource, /line 2 is bad/);
  const badRow = load(async function* () {
    yield '9002\t1\nx\t1\n';
  });
  await assert.rejects(badRow, { code: '22P02' });
  assert.deepEqual(await record.query('select count(*) as rows, sum(n - id) as added from t'), [
    { rows: 5000, added: 5000 },
  ]);
});
