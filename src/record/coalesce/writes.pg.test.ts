import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../testing/database.ts';
import { faultProxy } from '../../testing/fault-proxy.ts';
import { RecordBusy, RecordUnknownOutcome } from '../failures.ts';
import { silent } from '../log.ts';
import { openRecord } from '../open.ts';
import type { CoalescedWrite, PgRecord } from '../record.ts';

interface Add {
  readonly id: string;
  readonly by: number;
  readonly retriable?: boolean;
}

const TABLE = `
  create table counters (id text primary key, total bigint not null check (total < 1000000), statements integer not null default 1);
  create table log (id text, by integer, place bigint generated always as identity)`;

/** Adds to a counter; what it returns is the counter's total then. */
const ADD: CoalescedWrite<Add, number> = {
  sql: `
    with sent as (select * from unnest($1, $2) with ordinality as u (id, by, place)),
    stored as (
      insert into counters as held (id, total) select id, by from sent order by place
      on conflict (id) do update set total = held.total + excluded.total, statements = held.statements + 1
      returning id, total
    )
    select stored.total, pg_current_xact_id()::text as lockstep_xid from sent join stored using (id) order by place`,
  columns: ['text', 'integer'],
  encode: ({ id, by }) => [id, by],
  decode: (row) => row.total as number,
  key: ({ id }) => id,
  retriable: ({ retriable }) => retriable ?? false,
};

/** Only inserts: no key, and the statement is wrapped. */
const LOG: CoalescedWrite<Add, Add> = {
  sql: `insert into log (id, by) select id, by from unnest($1::text[], $2::integer[]) with ordinality as u (id, by, o) order by o
        returning id, by`,
  columns: ['text', 'integer'],
  encode: ({ id, by }) => [id, by],
  decode: (row) => row as unknown as Add,
};

async function prepared(t: { name: string }): Promise<{ record: PgRecord; url: string }> {
  const database = await testDatabase(t);
  await database.record.transaction((tx) => tx.query(TABLE));
  return database;
}

test('rows that name their place may come in any order, and what has none is given what is missing', async (t) => {
  const { record } = await prepared(t);
  const negate = record.coalesceWrites<number, number | null>({
    sql: `select -n as value, place::integer as lockstep_place, pg_current_xact_id()::text as lockstep_xid
      from unnest($1) with ordinality as u (n, place) where n % 3 <> 0 order by place desc`,
    columns: ['integer'],
    encode: (n) => [n],
    decode: (row) => row.value as number,
    missing: null,
  });
  const inputs = Array.from({ length: 50 }, (_, n) => n);
  const written = await Promise.all(inputs.map(negate));
  assert.deepEqual(
    written.map(({ value }) => value),
    inputs.map((n) => (n % 3 === 0 ? null : -n)),
  );
  const twice = record.coalesceWrites<number, number | null>({
    sql: `select 1 as lockstep_place, pg_current_xact_id()::text as lockstep_xid from unnest($1) as u (n)`,
    columns: ['integer'],
    encode: (n) => [n],
    decode: () => 0,
    missing: null,
  });
  await assert.rejects(Promise.all([twice(1), twice(2)]), /place 1 of 2 inputs/);
});

async function totals(record: PgRecord): Promise<Record<string, number>> {
  const rows = await record.query<{ id: string; total: number }>('select id, total from counters');
  return Object.fromEntries(rows.map(({ id, total }) => [id, total]));
}

test('[rule 17] two "+1" of one key at once are "+2", in the order of the calls', async (t) => {
  const { record } = await prepared(t);
  const add = record.coalesceWrites(ADD);
  const answers = await Promise.all([1, 1, 1, 1].map((by) => add({ id: 'a', by })));
  assert.deepEqual(
    answers.map(({ value }) => value),
    [1, 2, 3, 4],
  );
  assert.equal(new Set(answers.map(({ receipt }) => receipt.xid)).size, 4);
});

test('[rule 17] the key is what keeps two updates of one row apart: without it one is lost', async (t) => {
  const { record } = await prepared(t);
  const update: CoalescedWrite<Add, number> = {
    ...ADD,
    sql: `
      with sent as (select * from unnest($1, $2) with ordinality as u (id, by, place)),
      stored as (update counters set total = total + by from sent where counters.id = sent.id returning counters.id, total)
      select stored.total, pg_current_xact_id()::text as lockstep_xid from sent join stored using (id) order by place`,
  };
  for (const [key, total] of [
    [undefined, 1],
    [ADD.key, 2],
  ] as const) {
    await record.query(`truncate counters`);
    await record.query(`insert into counters values ('a', 0)`);
    const add = record.coalesceWrites({ ...update, key });
    await Promise.all([1, 1].map((by) => add({ id: 'a', by })));
    assert.deepEqual(await totals(record), { a: total });
  }
});

test('[rule 17] rows of one statement are sorted by their key, so that no two writers lock them crosswise', async (t) => {
  const { record } = await prepared(t);
  const write = record.coalesceWrites({ ...LOG, key: ({ id }) => id });
  await Promise.all(['c', 'a', 'd', 'b', 'a'].map((id, by) => write({ id, by })));
  const stored = await record.query<{ id: string }>('select id from log order by place');
  assert.deepEqual(
    stored.map(({ id }) => id),
    ['a', 'b', 'c', 'd', 'a'],
  );
});

test('[rule 17] any calls from many callers: every sum is right, and each answer is its own', async (t) => {
  const { record } = await prepared(t);
  const add = record.coalesceWrites({ ...ADD, maxRows: 7 });
  const call = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'ü', '"', '\\', ' ', 'NULL', ''),
    by: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
      await record.query('truncate counters');
      const answers = await Promise.all(calls.map(add));
      const expected: Record<string, number> = {};
      for (const [index, { id, by }] of calls.entries()) {
        expected[id] = (expected[id] ?? 0) + by;
        assert.equal(answers[index]!.value, expected[id]);
      }
      assert.deepEqual(await totals(record), expected);
    }),
    { numRuns: 40 },
  );
});

test('calls of one turn of the event loop are one transaction, and its receipt is theirs', async (t) => {
  const { record } = await prepared(t);
  const write = record.coalesceWrites(LOG);
  const calls = Array.from({ length: 50 }, (_, by) => ({ id: `p${by}`, by }));
  const answers = await Promise.all(calls.map(write));
  assert.deepEqual(
    answers.map(({ value }) => value),
    calls,
  );
  const [{ xmin }] = (await record.query('select distinct xmin::text::bigint as xmin from log')) as [{ xmin: number }];
  assert.deepEqual([...new Set(answers.map(({ receipt }) => receipt.xid))], [BigInt(xmin)]);
});

test('[rule 17] a bad row fails alone, with its own error', async (t) => {
  const { record } = await prepared(t);
  const add = record.coalesceWrites(ADD);
  const calls = Array.from({ length: 40 }, (_, i) => ({ id: `k${i}`, by: i === 13 || i === 14 ? 1_000_000 : 1 }));
  const results = await Promise.allSettled(calls.map(add));
  const failed = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason.code]] : []));
  assert.deepEqual(failed, [
    [13, '23514'],
    [14, '23514'],
  ]);
  assert.equal(Object.keys(await totals(record)).length, 38);
  assert.equal((await add({ id: 'k13', by: 1 })).value, 1, 'the key of a failed row is free again');
});

test('[rule 17] a value that is too long for its index fails alone', async (t) => {
  const { record } = await prepared(t);
  const counter = record.coalesceWrites(ADD);
  const long = randomBytes(4000).toString('hex');
  const [first, bad, last] = await Promise.allSettled(['a', long, 'b'].map((id) => counter({ id, by: 1 })));
  assert.deepEqual([first!.status, last!.status], ['fulfilled', 'fulfilled']);
  assert.match(String((bad as PromiseRejectedResult).reason), /index row size/);
});

test('what encode or decode throws fails its caller alone', async (t) => {
  const { record } = await prepared(t);
  const oddAt = <T>(odd: number, by: number, value: T): T => {
    if (by === odd) throw new Error(`odd ${by}`);
    return value;
  };
  const write = record.coalesceWrites<Add, Add>({
    ...LOG,
    encode: ({ id, by }) => oddAt(1, by, [id, by]),
    decode: (row, input) => oddAt(2, input.by, row as unknown as Add),
  });
  const results = await Promise.allSettled([0, 1, 2, 3].map((by) => write({ id: 'a', by })));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
});

test('[SPEC 8] one more than may wait is refused, and nothing of it is written', async (t) => {
  const { record } = await prepared(t);
  const write = record.coalesceWrites({ ...LOG, maxQueued: 3 });
  const results = await Promise.allSettled([0, 1, 2, 3].map((by) => write({ id: 'a', by })));
  const refused = results[3];
  assert.ok(refused?.status === 'rejected' && refused.reason instanceof RecordBusy);
  assert.equal(refused.reason.headers['Retry-After'], '1');
  assert.deepEqual(await record.query('select by from log order by by'), [{ by: 0 }, { by: 1 }, { by: 2 }]);
  await write({ id: 'b', by: 4 });
});

test('[rule 17] after an unknown outcome only what may be repeated is repeated', async (t) => {
  const { record, url } = await prepared(t);
  const proxy = await faultProxy(t, url);
  const proxied = await openRecord({ url: proxy.url, log: silent });
  t.after(() => proxied.close());
  const add = proxied.coalesceWrites(ADD);
  await add({ id: 'warm', by: 1 });
  // Committed, and the answer lost.
  proxy.cutOn('careful', 'after');
  const calls = [
    { id: 'careful', by: 1 },
    { id: 'bold', by: 1, retriable: true },
  ];
  const [careful, bold] = await Promise.allSettled(calls.map(add));
  assert.ok(careful!.status === 'rejected' && careful!.reason instanceof RecordUnknownOutcome);
  assert.match(careful!.reason.message, /may have been written or not.*Idempotency-Key/);
  assert.equal(bold!.status, 'fulfilled');
  assert.equal(proxy.cuts, 1);
  assert.deepEqual(await totals(record), { warm: 1, careful: 1, bold: 2 });
});

test('a changed column type is planned anew', async (t) => {
  const { record } = await prepared(t);
  const write = record.coalesceWrites(LOG);
  await write({ id: 'a', by: 1 });
  await record.query('alter table log alter column by type text');
  const again = record.coalesceWrites({
    ...LOG,
    sql: LOG.sql.replace('select id, by from unnest', 'select id, by::text from unnest'),
  });
  assert.equal((await again({ id: 'b', by: 2 })).value.by, '2');
  await record.query('alter table log alter column by type varchar');
  await record.query('alter table log alter column id type varchar');
  assert.equal((await again({ id: 'c', by: 3 })).value.by, '3');
});
