import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import type { Row } from '../record/value.ts';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { FeedRecorder, openTestFeed, openWriter, testSlot, type Writer } from '../testing/feed-recorder.ts';
import type { Source } from './feed.ts';
import { ensurePublication } from './publication.ts';

const TABLES = ['keyed', 'whole', 'pair'] as const;
const SOURCES: readonly Source[] = TABLES.map((name) => ({ table: `public.${name}` }));
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'public.keyed': ['id'],
  'public.whole': ['id'],
  'public.pair': ['a', 'b'],
};
/** Larger than a page's quarter, and hard to compress: stored out of line. */
const LARGE = `(select string_agg(md5((i + %)::text), '') from generate_series(1, 300) i)`;

const id = fc.integer({ min: 1, max: 12 });
const text = fc.constantFrom(`''`, 'null', `E'tab\\t\\\\N\\n'`, `'ö 🎲'`, `'plain'`);
const statement = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(id, text)
      .map(
        ([n, t]) =>
          `insert into keyed (id, n, body) values (${n}, ${n}, ${t}) on conflict (id) do update set n = keyed.n + 1`,
      ),
  },
  {
    weight: 2,
    arbitrary: id.map(
      (n) =>
        `insert into whole (id, n, body) values (${n}, ${n}, ${LARGE.replace('%', String(n))}) on conflict do nothing`,
    ),
  },
  { weight: 2, arbitrary: id.map((n) => `update whole set n = n + 1 where id % 3 = ${n % 3}`) },
  {
    weight: 2,
    arbitrary: id.map(
      (n) =>
        `insert into keyed (id, n, body) values (${n}, 0, ${LARGE.replace('%', String(n))}) on conflict (id) do update set body = excluded.body`,
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, id)
      .map(
        ([from, to]) =>
          `update keyed set id = ${to} where id = ${from} and not exists (select from keyed where id = ${to})`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, id)
      .map(
        ([a, b]) =>
          `insert into pair values (${a}, 'k${b}', ${a}.5, now()) on conflict (a, b) do update set amount = pair.amount + 1`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, id).map(
      ([
        a,
        b,
      ]) => `update pair set b = 'k${b}' where a = ${a} and not exists (select from pair where a = ${a} and b = 'k${b}')
      and (select count(*) from pair where a = ${a}) = 1`,
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('keyed', 'whole'), id)
      .map(([table, n]) => `delete from ${table} where id = ${n}`),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (n) =>
        `insert into keyed (id, n) select i, ${n} from generate_series(1, 12) i on conflict (id) do update set n = ${n}`,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('truncate keyed', 'truncate whole, pair', 'delete from pair') },
);
const transaction = fc.record({
  statements: fc.array(statement, { minLength: 1, maxLength: 5 }),
  end: fc.constantFrom('commit', 'commit', 'commit', 'rollback'),
});

describe('equivalence', () => {
  let database: TestDatabase;
  let writer: Writer;
  before(async () => {
    database = await testDatabase({ name: 'equivalence' });
    writer = await openWriter(database);
    await writer.sql(`create table keyed (id int primary key, n int, body text);
      create table whole (id bigint primary key, n int, body text); alter table whole replica identity full;
      create table pair (a int, b text, amount numeric, at timestamptz, primary key (a, b))`);
    await ensurePublication(
      database.record,
      'lockstep',
      TABLES.map((name) => `public.${name}`),
    );
  });
  after(() => writer.close());

  const openWithSnapshot = async (options: Parameters<typeof openTestFeed>[1] = { sources: SOURCES }) => {
    const session = await openTestFeed(database, options);
    const recorder = new FeedRecorder();
    for (const source of SOURCES) {
      await session.snapshot!.read(source, (rows) => recorder.load(source.table, KEYS[source.table]!, rows));
    }
    return { session, recorder };
  };

  async function rebuilt(): Promise<FeedRecorder> {
    const { session, recorder } = await openWithSnapshot();
    await session.close();
    return recorder;
  }

  test('[SPEC 6] random transactions streamed give exactly what a rebuild gives, in slices or whole', async () => {
    const run = fc.asyncProperty(
      fc.array(transaction, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(2, 10_000),
      async (transactions, maxTransactionChanges) => {
        const { session, recorder } = await openWithSnapshot({ sources: SOURCES, maxTransactionChanges });
        await session.stream(session.start, recorder);
        for (const { statements, end } of transactions) await writer.sql(['begin', ...statements, end].join('; '));
        await recorder.caughtUp(database, session);
        await session.close();
        const fresh = await rebuilt();
        for (const { table } of SOURCES) assert.deepEqual(sorted(recorder, table), sorted(fresh, table));
      },
    );
    await fc.assert(run, { numRuns: 25, endOnFailure: true });
  });

  test('[SPEC 6] snapshot and stream overlap in nothing and miss nothing, with concurrent writers', async () => {
    await writer.sql('truncate keyed; create sequence if not exists ids');
    let writing = true;
    const writers = Array.from({ length: 4 }, async () => {
      const own = await openWriter(database);
      while (writing) await own.sql(`insert into keyed (id, n) values (nextval('ids'), 1)`);
      await own.close();
    });
    for (let round = 0; round < 3; round++) {
      const session = await openTestFeed(database, { sources: SOURCES });
      const seen = new Map<unknown, number>();
      const count = (row: Row) => seen.set(row.id, (seen.get(row.id) ?? 0) + 1);
      await session.snapshot!.read({ table: 'public.keyed' }, (rows) => rows.forEach(count));
      const recorder = new FeedRecorder();
      recorder.onStep = () => {};
      await session.stream(session.start, recorder);
      await recorder.until(({ transactions }) => transactions.length > 50);
      if (round === 2) {
        writing = false;
        await Promise.all(writers);
        await recorder.caughtUp(database, session);
      }
      await session.close();
      for (const change of recorder.changes) count(change.after!);
      assert.deepEqual(
        [...seen.values()].filter((times) => times !== 1),
        [],
        'overlap 0',
      );
      if (round < 2) continue;
      const rows = await writer.sql('select id from keyed');
      assert.equal(rows.length, seen.size, 'missing 0');
    }
  });

  test('the library pg-logical-replication reads the same from the same publication', async () => {
    await writer.sql('truncate keyed, whole, pair');
    const slot = testSlot();
    await writer.sql(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    const session = await openTestFeed(database, { sources: SOURCES });
    const recorder = new FeedRecorder();
    await session.stream(session.start, recorder);
    const transactions = fc.sample(transaction, { numRuns: 40, seed: 7 });
    for (const { statements, end } of transactions) await writer.sql(['begin', ...statements, end].join('; '));
    await writer.sql(`insert into keyed (id, n, body) values (999, 999, 'the last')`);
    await recorder.caughtUp(database, session);
    await session.close();
    const oracle = await readWithLibrary(slot, ({ row }) => row?.id === '999');
    const drop = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}' and not active`;
    while ((await writer.sql(drop)).length === 0); // the library does not wait until the server has let go of it
    const own = recorder.changes.map(({ op, table, after }) => ({
      op,
      table: table.name,
      row: after && comparable(after),
    }));
    assert.ok(own.length > 50);
    assert.deepEqual(own, oracle);
  });

  /** Reads a slot from its beginning with the library, until `last`. */
  async function readWithLibrary(slot: string, last: (seen: Seen) => boolean): Promise<Seen[]> {
    const service = new LogicalReplicationService({ connectionString: database.url });
    const seen: Seen[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    service.on('error', reject);
    service.on('data', (_lsn, message: Pgoutput.Message) => {
      for (const change of fromLibrary(message)) {
        seen.push(change);
        if (last(change)) resolve();
      }
    });
    const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: ['lockstep'] });
    service.subscribe(plugin, slot).catch(reject);
    await promise;
    await service.destroy();
    return seen;
  }
});

interface Seen {
  readonly op: string;
  readonly table: string;
  readonly row: Readonly<Record<string, string | null | undefined>> | null;
}

function fromLibrary(message: Pgoutput.Message): Seen[] {
  const nameOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`;
  if (message.tag === 'truncate') {
    return message.relations.map((relation) => ({ op: 'truncate', table: nameOf(relation), row: null }));
  }
  if (message.tag === 'delete') return [{ op: 'delete', table: nameOf(message.relation), row: null }];
  if (message.tag !== 'insert' && message.tag !== 'update') return [];
  return [{ op: message.tag, table: nameOf(message.relation), row: comparable(message.new) }];
}

/** A row in a form that both readers' values have: the library's times are Dates, without microseconds. */
function comparable(row: Readonly<Record<string, unknown>>): Record<string, string | null | undefined> {
  const text = (value: unknown, name: string) => {
    if (value === null || value === undefined) return value;
    if (name !== 'at') return String(value);
    return String(value instanceof Date ? value.getTime() : Math.floor(Number(value) / 1000));
  };
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value, name)]));
}

function sorted(recorder: FeedRecorder, table: string): Row[] {
  return recorder
    .rows(table)
    .map((row) => [JSON.stringify(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}
