import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { FeedRecorder, openTestFeed, openWriter, type Writer } from '../testing/feed-recorder.ts';
import type { Change } from './change.ts';
import type { Source } from './feed.ts';
import type { FeedOptions } from './open-feed.ts';
import { ensurePublication } from './publication.ts';

describe('change feed', () => {
  let database: TestDatabase;
  let writer: Writer;
  before(async () => {
    database = await testDatabase({ name: 'feed' });
    writer = await openWriter(database);
  });
  after(() => writer.close());

  const sql = (text: string) => writer.sql(text);

  /** What the stream makes of some statements, each its own transaction. */
  async function follow(sources: readonly Source[], statements: readonly string[], options: Partial<FeedOptions> = {}) {
    await ensurePublication(
      database.record,
      'lockstep',
      sources.map((source) => source.table),
    );
    const session = await openTestFeed(database, { sources, ...options });
    const recorder = new FeedRecorder();
    try {
      await session.stream(session.start, recorder);
      for (const statement of statements) await sql(statement);
      await recorder.caughtUp(database, session);
    } finally {
      await session.close();
    }
    return recorder;
  }

  /** Operation, old row, new row. */
  function plain(changes: readonly Change[]) {
    return changes.map(({ op, before, after }) => [op, before, after]);
  }

  test('[SPEC 2] inserts, updates, deletes, in commit order, values as their types say', async () => {
    await sql(`create domain score as int; create type colour as enum ('red', 'green');
    create table kinds (id bigint primary key, flag boolean, small smallint, score score, price numeric(20, 4), real real,
      double float8, name text, code char(3), raw bytea, at timestamptz, local timestamp, day date, span interval, tags text[],
      doc jsonb, colour colour, uid uuid, doubled int generated always as (small * 2) stored)`);
    const values = `(1, true, -3, 7, 12345678901234.5, 0.1, 1e300, E'tab\\t\\\\ \\n ö 🎲', 'ab', '\\x00ff', '2020-05-12 18:32:43.409123+02',
    '1999-12-31 23:59:59', '0044-03-15 BC', '1 day 02:03:04', '{a,"b c",NULL}', '{"a": [1, null]}', 'green',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')`;
    const inserted = { table: 'public.kinds' };
    const { changes } = await follow(
      [inserted],
      [
        `insert into kinds values ${values}`,
        'insert into kinds (id) values (9007199254740993)',
        'update kinds set small = 4 where id = 1',
        'delete from kinds where id = 1',
      ],
    );
    const row = {
      id: 1,
      flag: true,
      small: -3,
      score: 7,
      price: '12345678901234.5000',
      real: 0.1,
      double: 1e300,
      name: 'tab\t\\ \n ö 🎲',
      code: 'ab ',
      raw: new Uint8Array([0, 255]),
      at: Date.UTC(2020, 4, 12, 16, 32, 43) * 1000 + 409_123,
      local: Date.UTC(1999, 11, 31, 23, 59, 59) * 1000,
      day: '0044-03-15 BC',
      span: '1 day 02:03:04',
      tags: '{a,"b c",NULL}',
      doc: '{"a": [1, null]}',
      colour: 'green',
      uid: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    };
    const nulls = Object.fromEntries(Object.keys(row).map((name) => [name, null]));
    assert.deepEqual(plain(changes), [
      ['insert', null, row],
      ['insert', null, { ...nulls, id: 9007199254740993n }],
      ['update', null, { ...row, small: 4 }],
      ['delete', { id: 1 }, null],
    ]);
    assert.deepEqual(changes[0]!.table.key, ['id']);
    assert.ok(!changes[0]!.table.columns.some((column) => column.name === 'doubled'), 'generated columns are left out');
    assert.equal(changes[0]!.table, changes[3]!.table, 'one object for all changes');
  });

  test('the snapshot gives the same values as the stream, in blocks', async () => {
    const session = await openTestFeed(database, { sources: [{ table: 'public.kinds' }] });
    await session.close();
    await sql(`truncate kinds; insert into kinds select i, i % 2 = 0, i % 100, i, i / 3.0, i / 7.0::real, i / 9.0, 'n' || i, 'x',
    decode(lpad(to_hex(i), 8, '0'), 'hex'), '2020-01-01Z'::timestamptz + i * interval '1.000001 s' from generate_series(1, 9000) i`);
    const streamed = await follow([{ table: 'public.kinds' }], ['update kinds set flag = flag']);
    const again = await openTestFeed(database, { sources: [{ table: 'public.kinds' }] });
    const recorder = new FeedRecorder();
    const blocks: number[] = [];
    const count = await again.snapshot!.read({ table: 'public.kinds' }, (rows) => {
      blocks.push(rows.length);
      recorder.load('public.kinds', ['id'], rows);
    });
    assert.ok((await again.snapshot!.estimate('public.kinds')) > 0);
    await again.close();
    assert.equal(count, 9000);
    assert.ok(blocks.length > 1 && Math.max(...blocks) <= 5000);
    const byId = (a: { id?: unknown }, b: { id?: unknown }) => Number(a.id) - Number(b.id);
    assert.deepEqual(recorder.rows('public.kinds').sort(byId), streamed.rows('public.kinds').sort(byId));
  });

  test('[SPEC 8] a snapshot waits for who reads it, and lets the event loop turn in between', async () => {
    const session = await openTestFeed(database, { sources: [{ table: 'public.kinds' }] });
    let open = 0;
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    await session.snapshot!.read({ table: 'public.kinds' }, async () => {
      assert.equal(++open, 1, 'one block at a time');
      const now = turns;
      while (turns === now) await new Promise(setImmediate);
      open--;
    });
    clearInterval(counting);
    const failing = session.snapshot!.read({ table: 'public.kinds' }, () => Promise.reject(new Error('no room')));
    await assert.rejects(failing, /no room/);
    await session.close();
  });

  test('a snapshot that is closed in the middle of a read does not read on', async () => {
    await sql('create table long (id int primary key); insert into long select generate_series(1, 300000)');
    await ensurePublication(database.record, 'lockstep', ['public.long']);
    const session = await openTestFeed(database, { sources: [{ table: 'public.long' }] });
    const began = Promise.withResolvers<void>();
    let rows = 0;
    const reading = session.snapshot!.read({ table: 'public.long' }, (block) => {
      rows += block.length;
      began.resolve();
    });
    const next = session.snapshot!.read({ table: 'public.long' }, () => assert.fail('it is closed'));
    await began.promise;
    const closing = session.close();
    await Promise.all([assert.rejects(reading, /closed/), assert.rejects(next, /closed/), closing]);
    assert.ok(rows < 100_000, `${rows} rows were read`);
  });

  test('only the columns that are wanted, and the key', async () => {
    await sql('create table wide (a int, b int, c int, id int primary key)');
    const { changes } = await follow(
      [{ table: 'public.wide', columns: ['b'] }],
      ['insert into wide values (1, 2, 3, 4)'],
    );
    assert.deepEqual(changes[0]!.after, { b: 2, id: 4 });
    const unknown = openTestFeed(database, { sources: [{ table: 'public.wide', columns: ['x'] }] });
    await assert.rejects(unknown, /public\.wide has no column "x".*there is none/);
    const generated = openTestFeed(database, { sources: [{ table: 'public.kinds', columns: ['doubled'] }] });
    await assert.rejects(generated, /"doubled".*generated/);
  });

  test('[rule 6] the key comes from the catalogue, whatever the log flags; old rows come with REPLICA IDENTITY FULL', async () => {
    await sql(`create table whole (id int primary key, name text); alter table whole replica identity full`);
    const { changes } = await follow(
      [{ table: 'public.whole' }],
      [
        `insert into whole values (1, 'a')`,
        `update whole set name = 'b'`,
        'update whole set id = 2',
        'delete from whole',
      ],
    );
    assert.deepEqual(changes[0]!.table.key, ['id']);
    assert.equal(changes[0]!.table.full, true);
    assert.deepEqual(plain(changes), [
      ['insert', null, { id: 1, name: 'a' }],
      ['update', { id: 1, name: 'a' }, { id: 1, name: 'b' }],
      ['update', { id: 1, name: 'b' }, { id: 2, name: 'b' }],
      ['delete', { id: 2, name: 'b' }, null],
    ]);
  });

  test('[rule 6] an old key is there when the key changed, by the primary key or by an index', async () => {
    await sql(`create table by_key (id int primary key, name text);
    create table by_index (id int primary key, code text not null unique, name text);
    alter table by_index replica identity using index by_index_code_key`);
    const { changes } = await follow(
      [{ table: 'public.by_key' }, { table: 'public.by_index' }],
      [
        `insert into by_key values (1, 'a')`,
        'update by_key set id = 2',
        `insert into by_index values (1, 'x', 'a')`,
        `update by_index set name = 'b'`,
        `update by_index set code = 'y'`,
        'delete from by_index',
      ],
    );
    assert.deepEqual(changes[1]!.before, { id: 1 });
    const indexed = changes.slice(2);
    assert.deepEqual(indexed[0]!.table.key, ['code']);
    assert.deepEqual(plain(indexed).slice(1), [
      ['update', null, { id: 1, code: 'x', name: 'b' }],
      ['update', { code: 'x' }, { id: 1, code: 'y', name: 'b' }],
      ['delete', { code: 'y' }, null],
    ]);
  });

  test('[rule 6] a large value that was left untouched is filled from the old row, or undefined', async () => {
    const large = `(select string_agg(md5(i::text), '') from generate_series(1, 2000) i)`;
    for (const [name, identity] of [
      ['toast_default', 'default'],
      ['toast_full', 'full'],
    ]) {
      await sql(`create table ${name} (id int primary key, n int, body text); alter table ${name} replica identity ${identity};
      insert into ${name} values (1, 1, ${large})`);
    }
    const [stored] = await sql('select body from toast_full');
    const { changes } = await follow(
      [{ table: 'public.toast_default' }, { table: 'public.toast_full' }],
      ['update toast_default set n = 2', 'update toast_default set id = 2', 'update toast_full set n = 2'],
    );
    assert.deepEqual(plain(changes).slice(0, 2), [
      ['update', null, { id: 1, n: 2, body: undefined }],
      ['update', { id: 1 }, { id: 2, n: 2, body: undefined }],
    ]);
    assert.deepEqual(changes[2]!.after, { id: 1, n: 2, body: stored!.body });
    assert.deepEqual(changes[2]!.before, { id: 1, n: 1, body: stored!.body });
  });

  test('TRUNCATE of several tables is a change of each that is followed', async () => {
    await sql(`create table t1 (id int primary key); create table t2 (id int primary key references t1);
    create table t3 (id int primary key references t1)`);
    const { changes } = await follow(
      [{ table: 'public.t1' }, { table: 'public.t2' }],
      [
        'insert into t1 values (1), (2)',
        'insert into t2 values (1)',
        'begin; truncate t1 cascade; insert into t1 values (3); commit',
      ],
    );
    assert.deepEqual(
      changes.slice(3).map(({ op, table }) => `${op} ${table.name}`),
      ['truncate public.t1', 'truncate public.t2', 'insert public.t1'],
    );
  });

  test('a partitioned table is one table', async () => {
    await sql(`create table parts (id int primary key, n int) partition by range (id);
    create table parts_low partition of parts for values from (0) to (100);
    create table parts_high partition of parts for values from (100) to (200);
    insert into parts values (1, 1), (150, 1)`);
    await ensurePublication(database.record, 'lockstep', ['public.parts']);
    const session = await openTestFeed(database, { sources: [{ table: 'public.parts' }] });
    const recorder = new FeedRecorder();
    await session.snapshot!.read({ table: 'public.parts' }, (rows) => recorder.load('public.parts', ['id'], rows));
    await session.stream(session.start, recorder);
    await sql('update parts set id = 160 where id = 1');
    await sql('insert into parts_low values (7, 7)');
    await sql('truncate parts; insert into parts values (8, 8), (108, 8)');
    await sql('delete from parts_high');
    await recorder.caughtUp(database, session);
    await session.close();
    assert.ok(recorder.changes.every(({ table }) => table.name === 'public.parts'));
    assert.deepEqual(recorder.rows('public.parts'), [{ id: 8, n: 8 }]);
  });

  test('a table that inherits is not part of the one it inherits from', async () => {
    await sql(`create table parent (id int primary key); create table child () inherits (parent);
    insert into parent values (1); insert into child values (2)`);
    await ensurePublication(database.record, 'lockstep', ['public.parent']);
    const session = await openTestFeed(database, { sources: [{ table: 'public.parent' }] });
    const recorder = new FeedRecorder();
    await session.snapshot!.read({ table: 'public.parent' }, (rows) => recorder.load('public.parent', ['id'], rows));
    await session.close();
    assert.deepEqual(recorder.rows('public.parent'), [{ id: 1 }]);
  });

  test('[SPEC 8] a transaction of 200,000 rows comes in slices, in bounded memory, each in a turn of its own', async () => {
    await sql('create table many (id int primary key, name text)');
    await ensurePublication(database.record, 'lockstep', ['public.many']);
    const session = await openTestFeed(database, { sources: [{ table: 'public.many' }] });
    let rows = 0;
    let most = 0;
    let ended = false;
    let sameTurn = false;
    const recorder = new FeedRecorder();
    recorder.largeSlice = (changes) => {
      rows += changes.length;
      most = Math.max(most, changes.length);
      assert.equal(sameTurn, false, 'a turn of its own');
      sameTurn = true;
      setImmediate(() => {
        sameTurn = false;
      });
    };
    const end = recorder.largeEnd.bind(recorder);
    recorder.largeEnd = (transaction) => {
      ended = true;
      end(transaction);
    };
    await session.stream(session.start, recorder);
    await sql(`insert into many select i, 'name ' || i from generate_series(1, 200000) i`);
    await recorder.caughtUp(database, session);
    await sql('delete from many where id <= 10');
    await recorder.caughtUp(database, session);
    await session.close();
    assert.ok(ended);
    assert.equal(rows, 200_000);
    assert.ok(most <= 10_001);
    assert.equal(recorder.transactions.at(-1)!.changes.length, 10, 'small ones follow as before');
  });

  test('[SPEC 4] [rule 2] what is not published moves the position all the same, and a poke asks for it', async () => {
    await sql('create table silent (id int primary key)');
    const recorder = await follow(
      [{ table: 'public.t1' }],
      ['insert into silent values (1)', 'create index on silent (id)'],
    );
    assert.ok(recorder.changes.length === 0);
    assert.ok(recorder.position > 0);
  });

  test('[SPEC 4] [rule 2] each poke is answered, also while the log stands still', async () => {
    const session = await openTestFeed(database, { sources: [{ table: 'public.t1' }] });
    const recorder = new FeedRecorder();
    await session.stream(session.start, recorder);
    await recorder.caughtUp(database, session);
    let answers = 0;
    recorder.onStep = () => answers++;
    // By itself an idle server says something every few seconds at most: not so often before the test's time is up.
    for (let i = 1; i <= 100; i++) {
      const before = answers;
      session.poke();
      await recorder.until(() => answers > before);
    }
    await session.close();
  });

  test('a transaction that published nothing, and one with an aborted subtransaction', async () => {
    await sql('create table subs (id int primary key)');
    const { changes } = await follow(
      [{ table: 'public.subs' }],
      [
        `do $$ begin insert into subs values (1);
       begin insert into subs values (2); raise exception 'no'; exception when others then null; end;
       insert into subs values (3); end $$`,
      ],
    );
    assert.deepEqual(plain(changes), [
      ['insert', null, { id: 1 }],
      ['insert', null, { id: 3 }],
    ]);
  });
});
