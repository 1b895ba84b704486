import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { FeedRecorder, openTestFeed, openWriter, type Writer } from '../testing/feed-recorder.ts';
import type { FeedSession } from './feed.ts';
import { ensurePublication } from './publication.ts';
import { compareFingerprints, schemaFingerprint } from './schema.ts';
import { installSchemaTriggers } from './schema-triggers.ts';

const TABLE = 'public.t';
const ROOT = 'public.p';

/** DDL that changes rows or what they mean, and what is said about it. */
const CHANGES: readonly (readonly [sql: string, said: RegExp])[] = [
  ['alter table t add column extra int default 5', /column extra is new/],
  ['alter table t drop column n', /column n is gone/],
  ['alter table t rename column n to m', /column n is gone.*column m is new/],
  ['alter table t alter column n type bigint using n * 2', /column n has another type/],
  ['alter table t alter column n type int using n * 2', /rewritten/],
  ['alter table t alter column name type varchar(5)', /column name has another type/],
  ['alter table t rename to u', /public\.t is gone/],
  ['alter table t set schema other', /public\.t is gone/],
  ['drop table t; create table t (id int primary key, n int, name text, kind kind)', /made anew/],
  ['alter publication lockstep drop table t; alter table t set unlogged', /persistence p became u|taken out/],
  ['alter table t replica identity full', /replica identity d became f/],
  ['alter table t drop constraint t_pkey; alter table t add primary key (id, n)', /key \(id\) became \(id,n\)/],
  [`alter type kind rename value 'b' to 'c'`, /labels of column kind were renamed/],
  ['alter table p detach partition p1', /partition public\.p1 is gone/],
  ['alter table p detach partition p1; alter table p attach partition p1 for values from (0) to (10)', /attached anew/],
  ['drop table p1', /partition public\.p1 is gone/],
  ['create table p2 partition of p for values from (10) to (20)', /partition public\.p2 is new/],
  ['alter table p1 set unlogged', /persistence|rewritten|taken out/],
  [
    'alter publication lockstep drop table t; alter publication lockstep add table t',
    /taken out of the publication or added/,
  ],
  ['drop publication lockstep; create publication lockstep for table t, p', /the publication was made anew/],
  [`alter publication lockstep set (publish = 'insert')`, /publication was made anew or altered/],
  ['drop publication lockstep', /the publication is gone/],
];

/** DDL on followed tables that changes no row: no reason to build anew. */
const HARMLESS = [
  'create index on t (n)',
  'alter table t alter column n set default 3',
  'analyze t',
  'vacuum t',
  `alter type kind add value if not exists 'z'`,
  'create table unrelated (id int primary key)',
  'insert into t values (9, 9); delete from t where id = 9',
];

describe('schema', () => {
  let database: TestDatabase;
  let writer: Writer;
  before(async () => {
    database = await testDatabase({ name: 'schema' });
    writer = await openWriter(database);
  });
  after(() => writer.close());

  async function fresh(): Promise<void> {
    await writer.sql(`drop publication if exists lockstep; drop schema if exists other cascade; create schema other;
      drop table if exists t, u, p, p1, unrelated cascade; drop type if exists kind; create type kind as enum ('a', 'b');
      create table t (id int primary key, n int, name text, kind kind); insert into t values (1, 1, 'a', 'a');
      create table p (id int primary key) partition by range (id);
      create table p1 partition of p for values from (0) to (10); insert into p values (1)`);
    await ensurePublication(database.record, 'lockstep', [TABLE, ROOT]);
  }

  const fingerprint = () => schemaFingerprint(database.record, 'lockstep', [TABLE, ROOT]);

  test('[SPEC 6] [rule 15] DDL that changes rows without events changes the fingerprint, and says what happened', async () => {
    for (const [sql, said] of CHANGES) {
      await fresh();
      const before = await fingerprint();
      assert.deepEqual(compareFingerprints(before, await fingerprint()), []);
      await writer.sql(sql);
      assert.match(compareFingerprints(before, await fingerprint()).join('; '), said, sql);
    }
  });

  test('[rule 15] DDL that changes no row leaves it as it is', async () => {
    await fresh();
    const before = await fingerprint();
    for (const sql of HARMLESS) {
      for (const statement of sql.split('; ')) await writer.sql(statement);
      assert.deepEqual(compareFingerprints(before, await fingerprint()), [], sql);
    }
  });

  test('[rule 15] a new file is excused by a TRUNCATE the stream has shown, a partition alone never', async () => {
    await fresh();
    const before = await fingerprint();
    await writer.sql('truncate t');
    const after = await fingerprint();
    assert.match(compareFingerprints(before, after).join(), /public\.t was rewritten/);
    assert.deepEqual(compareFingerprints(before, after, new Set([TABLE])), []);
    await writer.sql('truncate p1');
    const partition = await fingerprint();
    assert.match(compareFingerprints(after, partition, new Set([ROOT])).join(), /partition public\.p1 was rewritten/);
  });

  async function streaming(
    work: (recorder: FeedRecorder, session: FeedSession) => Promise<void>,
  ): Promise<FeedRecorder> {
    const session = await openTestFeed(database, { sources: [{ table: TABLE }, { table: ROOT }] });
    const recorder = new FeedRecorder();
    try {
      await session.stream(session.start, recorder);
      await work(recorder, session);
      await recorder.caughtUp(database, session);
    } finally {
      await session.close();
    }
    return recorder;
  }

  test('[rule 15] without triggers, an added, dropped or renamed column shows with the next row', async () => {
    for (const sql of ['add column extra int', 'drop column n', 'rename column n to m']) {
      await fresh();
      const { calls } = await streaming(async () => {
        await writer.sql(`alter table t ${sql}`);
        await writer.sql('insert into t (id) values (5)');
      });
      const at = calls.findIndex((call) => call.startsWith('schema public.t'));
      assert.ok(at >= 0, sql);
      assert.ok(calls.indexOf('transaction 1') > at, 'before the transaction that shows it');
    }
  });

  test('[SPEC 6] [rule 15] with triggers, the stream itself tells of every such DDL, in commit order', async () => {
    await fresh();
    assert.equal(await installSchemaTriggers(database.record), true);
    assert.equal(await installSchemaTriggers(database.record), true, 'again does no harm');
    for (const [sql] of CHANGES) {
      await fresh();
      const { calls } = await streaming(async () => {
        await writer.sql('update t set n = 2');
        await writer.sql(sql);
      });
      const first = calls.indexOf('transaction 1');
      assert.ok(calls.findIndex((call) => call.startsWith('schema ')) > first, `${sql}: ${calls}`);
    }
  });

  test('[rule 15] other tables and rolled back DDL are not told of', async () => {
    await fresh();
    const { schemaChanges } = await streaming(async () => {
      await writer.sql(
        'create table unrelated (id int primary key); alter table unrelated add column n int; drop table unrelated',
      );
      await writer.sql('begin; alter table t add column gone int; rollback');
    });
    assert.deepEqual(schemaChanges, []);
  });

  test('[rule 15] the triggers never fail a statement, and work for users without rights', async () => {
    await fresh();
    await writer.sql(`do $$ begin create role plain_user; exception when duplicate_object then null; end $$;
      grant create on schema public to plain_user`);
    const { schemaChanges } = await streaming(async () => {
      await writer.sql('alter table t owner to plain_user');
      await writer.sql('set role plain_user');
      await writer.sql('alter table t add column by_user int');
      await writer.sql('reset role');
      await writer.sql('alter function lockstep.write_schema_change rename to hidden');
      await writer.sql('alter table t add column unseen int');
      await writer.sql('alter function lockstep.hidden rename to write_schema_change');
    });
    assert.deepEqual(schemaChanges, ['ALTER TABLE on public.t', 'ALTER TABLE on public.t']);
    await writer.sql('drop owned by plain_user; drop role plain_user');
  });
});

describe('publication', () => {
  let database: TestDatabase;
  let writer: Writer;
  before(async () => {
    database = await testDatabase({ name: 'publication' });
    writer = await openWriter(database);
  });
  after(() => writer.close());

  const ensure = (...tables: string[]) => ensurePublication(database.record, 'mine', tables);
  const members = async () =>
    (await writer.sql(`select tablename from pg_publication_tables where pubname = 'mine' order by 1`)).map(
      (row) => row.tablename,
    );

  test('tables are added, none is dropped, and options are set right', async () => {
    await writer.sql(
      'create table a (id int primary key); create table b (id int primary key); create table "C d" (id int primary key)',
    );
    await ensure('public.a');
    await ensure('public.b', 'public.C d');
    await ensure('public.a');
    assert.deepEqual(await members(), ['C d', 'a', 'b']);
    await writer.sql(`alter publication mine set (publish = 'insert', publish_via_partition_root = false)`);
    await ensure('public.a');
    const [row] = await writer.sql(
      `select pubupdate and pubdelete and pubtruncate and pubviaroot as all from pg_publication where pubname = 'mine'`,
    );
    assert.equal(row!.all, true);
  });

  test('[rule 6] what cannot be followed is refused with the fix', async () => {
    await writer.sql(`create table keyless (n int); create table nothing (id int primary key); alter table nothing replica identity nothing;
      create unlogged table fleeting (id int primary key); create table filtered (id int primary key, n int)`);
    await assert.rejects(
      ensure('public.keyless'),
      /no replica identity.*no primary key.*ALTER TABLE "public"\."keyless" REPLICA IDENTITY/,
    );
    await assert.rejects(ensure('public.nothing'), /found: nothing.*REPLICA IDENTITY DEFAULT/);
    await assert.rejects(ensure('public.fleeting'), /unlogged.*SET LOGGED/);
    await assert.rejects(ensure('public.absent'), /there is no table public\.absent/);
    await writer.sql('alter table keyless replica identity full');
    await ensure('public.keyless');
    await writer.sql('alter publication mine add table filtered where (id > 5)');
    await assert.rejects(ensure('public.filtered'), /only some rows of public\.filtered.*DROP TABLE.*ADD TABLE/);
    await writer.sql('alter publication mine drop table filtered; alter publication mine add table filtered (id)');
    await assert.rejects(ensure('public.filtered'), /no column n of public\.filtered/);
  });

  test('a feed of a table that is not published is refused with the fix', async () => {
    await writer.sql('create table outside (id int primary key)');
    const opening = openTestFeed(database, { publication: 'mine', sources: [{ table: 'public.outside' }] });
    await assert.rejects(
      opening,
      /public\.outside is not in publication "mine"; run: ALTER PUBLICATION "mine" ADD TABLE/,
    );
    await assert.rejects(
      openTestFeed(database, { publication: 'none', sources: [{ table: 'public.a' }] }),
      /there is no publication "none"/,
    );
  });
});
