import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Change, Table } from '../changes/change.ts';
import { silent } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import type { Row } from '../record/value.ts';
import { testDatabase } from '../testing/database.ts';
import { startValkey, type TestValkey } from '../testing/valkey.ts';
import { rows } from '../views/row-cache/queries.ts';
import { rowCache } from '../views/row-cache/row-cache.ts';
import type { StoredGeneration } from '../views/stores/valkey/generation.ts';
import { bucketOf } from '../views/stores/valkey/key-buckets.ts';
import { openStore, type ValkeyStore } from '../views/stores/valkey/store.ts';
import { PositionTimeout } from './errors.ts';
import { StoredLazyReads } from './stored-lazy-reads.ts';
import { twinOf } from './stored-twin.ts';
import { Watermark } from './watermark.ts';

const EPOCH = 'test';
const TABLE: Table = { oid: 1, name: 'public.named', columns: [], key: ['id'], full: false };
const definition = rowCache<{ id: number; name: string }>({ table: TABLE.name, id: 'id', columns: ['name'] });

/** A key in the bucket of 1. */
const BESIDE_1 = Array.from({ length: 1000 }, (_, i) => i + 2).find((id) => bucketOf(id, 16) === bucketOf(1, 16))!;

let server: TestValkey;
let record: PgRecord;
let url: string;
let store: ValkeyStore;
let generation: StoredGeneration;
let leaders = 0;
before(async () => {
  server = await startValkey();
  // A PostgreSQL of its own: transactions that other files leave open for a while would rightly hold the first fills back.
  delete process.env.LOCKSTEP_TEST_PG;
  ({ record, url } = await testDatabase({ name: 'stored-lazy-reads' }));
  await record.query('create table named (id integer primary key, name text)');
  store = await openStore({ url: server.url, database: 'test', log: silent });
});
after(async () => {
  for (const { watermark } of nodes) watermark.close();
  await store?.close();
  await server?.stop();
});

/** A node: it hears of what is applied when the test says so. */
class Node {
  readonly watermark = new Watermark({ flushedLsn: () => record.flushedLsn(), poke: () => {} });
  readonly reads = new StoredLazyReads({
    definition: definition as never,
    store: view,
    record,
    watermark: this.watermark,
    waitMs: 2000,
  });

  async values(...ids: number[]): Promise<unknown> {
    const found = await this.reads.read([rows(ids)], this.watermark.position);
    return (found?.results[0] as string[] | undefined)?.map((text) => text && (JSON.parse(text) as Row).name);
  }
}

let view: ReturnType<ValkeyStore['add']>;
let nodes: Node[] = [];

/** An empty cache that stands at the record's end, and two nodes. */
async function begin(values: readonly string[]): Promise<[Node, Node]> {
  await record.query('truncate named');
  await record.query('insert into named select id, name from unnest($1::text[]) with ordinality as n (name, id)', [
    values,
  ]);
  view ??= store.add('test/named', definition as never);
  await store.fence(++leaders);
  generation = (await store.create('test/named', leaders, EPOCH)) as StoredGeneration;
  await generation.loaded(await record.flushedLsn(), 0);
  await generation.serve();
  for (const node of nodes) node.watermark.close();
  nodes = [new Node(), new Node()];
  for (const { watermark } of nodes) watermark.restart({ epoch: EPOCH, lsn: generation.lsn });
  return nodes as [Node, Node];
}

/** The log brings a change: the store applies it, and the nodes hear of it. */
async function deliver(xid: number, after: { id: number; name: string }): Promise<void> {
  const lsn = Math.max(await record.flushedLsn(), generation.lsn + 1);
  const change: Change = { op: 'update', table: TABLE, before: null, after };
  generation.transaction({ xid, lsn, committedAt: 0, changes: [change] });
  await generation.flush(lsn);
  for (const { watermark, reads } of nodes) {
    watermark.transaction(xid, lsn);
    reads.applied({ xid, changes: [change] });
  }
}

/** Keeps the store up to the record, whose end moves by itself too. */
async function following<T>(work: () => Promise<T>): Promise<T> {
  let done = false;
  const result = work().finally(() => {
    done = true;
  });
  result.catch(() => {}); // it may fail while the store is still followed: told at the end
  while (!done) {
    const lsn = Math.max(await record.flushedLsn(), generation.lsn);
    await generation.flush(lsn);
    for (const { watermark } of nodes) watermark.progress(lsn);
    await sleep(2);
  }
  return result;
}

/** A transaction that is open. */
async function open(t: TestContext): Promise<{ client: pg.Client; xid: number }> {
  const client = new pg.Client(url);
  await client.connect();
  t.after(() => client.end());
  await client.query('begin');
  const { rows: found } = await client.query('select pg_current_xact_id()::text as xid');
  return { client, xid: Number(BigInt(found[0].xid) & 0xffff_ffffn) };
}

test('concurrent misses of one key are one statement a node; what one has filled, the other finds', async () => {
  const [one, other] = await begin(['a', 'b']);
  const answers = await following(() => Promise.all(Array.from({ length: 200 }, () => one.values(1, 2, 3))));
  assert.equal(new Set(answers.map((each) => JSON.stringify(each))).size, 1);
  assert.deepEqual(answers[0], ['a', 'b', null]);
  const { statements, misses } = one.reads.stats.cache;
  assert.ok(statements! <= 2, `${statements} statements`); // the first is refused by the new buckets until they are founded
  assert.equal(misses, 600);
  assert.deepEqual(await other.values(3, 1), [null, 'a']);
  assert.deepEqual([other.reads.stats.cache.statements, other.reads.stats.cache.hits], [0, 2]);
});

test('[rule 11] a row whose change the log has brought, and snapshots do not show yet, is not held as it was before', async (t) => {
  const [one, other] = await begin(['old']);
  await following(() => one.values(BESIDE_1)); // the bucket is founded
  const { client, xid } = await open(t);
  await client.query(`update named set name = 'new' where id = 1`);
  await deliver(xid, { id: 1, name: 'new' });
  let answered = 0;
  const reads = following(() => Promise.all([one, other].map((node) => node.values(1).finally(() => answered++))));
  await sleep(50);
  assert.equal(answered, 0);
  await client.query('commit');
  assert.deepEqual(await reads, [['new'], ['new']]);
  assert.ok(one.reads.stats.cache.refusals > 0);
});

test('[rule 11] with a transaction open that is older than the bucket, the record answers', async (t) => {
  const { client } = await open(t);
  const [one] = await begin(['a']);
  await assert.rejects(
    following(() => one.values(1)),
    PositionTimeout,
  );
  const { results, source } = await following(() => one.reads.readThrough([rows([1])]));
  assert.deepEqual([results, source], [[['{"id":1,"name":"a"}']], 'record']);
  await client.query('commit');
  assert.deepEqual(await following(() => one.values(1)), ['a']);
});

test('[rule 11] a node that was held up founds no later generation of a bucket with what it knew of an earlier one', async () => {
  const kind = definition.stored!.lazy!;
  const offer = async (node: Node) => {
    const seen = { snapshot: { xmin: 900, xmax: 900, running: [] }, flushed: 0, end: 0 };
    const [fill] = kind.fill([1], { seen, rows: new Map() }, 0);
    return { fill: fill!, reply: (await view.amend([fill!], node.watermark.position))[0] };
  };
  const [early] = await begin(['a']);
  const { fill, reply } = await offer(early);
  assert.equal(fill.refused(reply), 'unfounded');
  const [late] = await begin(['a']);
  await view.amend([kind.found(fill, reply, 100)], late.watermark.position);
  const next = await offer(late);
  assert.equal(next.fill.refused(next.reply), 'unfounded');
  await view.amend([kind.found(next.fill, next.reply, 100)], late.watermark.position);
  assert.deepEqual(fill.refused((await offer(late)).reply), []);
});

test('hold keeps a row as its change left it, without a statement; an older change of it is not taken', async () => {
  const [one, other] = await begin(['a']);
  const [{ xid }] = (await record.query(
    `update named set name = 'b' where id = 1 returning pg_current_xact_id()::text::bigint as xid`,
  )) as [{ xid: number }];
  await deliver(xid, { id: 1, name: 'b' });
  await one.reads.hold([rows([1])]);
  assert.equal(one.reads.stats.cache.statements, 0);
  assert.deepEqual(await other.values(1), ['b']);
  other.reads.applied({
    xid: xid - 1,
    changes: [{ op: 'update', table: TABLE, before: null, after: { id: 1, name: 'a' } }],
  });
  await following(() => other.reads.hold([rows([1])]));
  assert.deepEqual(await one.values(1), ['b']);
});

test('[SPEC 7] verify: every row that is held is compared, and one that was tampered with is found', async () => {
  const names = Array.from({ length: 1200 }, (_, i) => `name ${i + 1}`);
  const [one] = await begin(names);
  const ids = names.map((_, i) => i + 1);
  await following(() => one.values(...ids));
  await following(passed); // what the reading saw: until then its rows are not compared
  const compare = async () => {
    const { build } = await twinOf(definition as never, view, one.watermark.position);
    const twin = build();
    twin.load(TABLE.name, await record.query<Row>('select * from named'));
    await twin.loaded();
    const found = [];
    for await (const drift of generation.compare(twin, (work) => work())) if (drift) found.push(drift);
    return { compared: twin.stats().entries, found };
  };
  assert.deepEqual(await compare(), { compared: 1200, found: [] });
  const key = (await keys('*:rows')).find((name) => name.includes(`}:${generation.number}:`)); // others are deleted in their own time
  const [id] = (await server.command('HKEYS', key!)) as string[];
  await server.command('HSET', key!, id!, '{"id":0}');
  const { found } = await compare();
  assert.equal(found.length, 1);
  assert.match(found[0]!.what, new RegExp(`id: ${id}\\b`));
});

test('[SPEC 5] a store that was emptied does not answer, and takes nothing', async () => {
  const [one] = await begin(['a']);
  assert.deepEqual(await following(() => one.values(1)), ['a']);
  await server.command('FLUSHALL');
  assert.equal(await one.values(1), undefined);
  await assert.rejects(one.reads.fill([1]), PositionTimeout);
  assert.deepEqual(await keys('*rows*'), []);
});

/** Until the store has applied the log to its end as of now. */
async function passed(): Promise<void> {
  const [row] = await record.query<{ end: string }>(`select (pg_current_wal_insert_lsn() - '0/0')::text as end`);
  while (generation.lsn < Number(row!.end)) await sleep(2);
}

async function keys(pattern: string): Promise<string[]> {
  return (await server.command('KEYS', pattern)) as string[];
}
