import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Change } from '../../../changes/change.ts';
import { storeProxy } from '../../../testing/fault-proxy.ts';
import { ROWS_TABLE, storedRows } from '../../../testing/stored-rows.ts';
import { startValkey, startValkeyCluster, type TestValkey, type TestValkeyCluster } from '../../../testing/valkey.ts';
import { StoreFault, StoreRefused } from './connection.ts';
import type { StoredGeneration } from './generation.ts';
import { openStore, type ValkeyStore } from './store.ts';
import type { StoredView } from './view.ts';
import { scriptOf } from './wire/script.ts';
import { slotOf } from './wire/slots.ts';

const EPOCH = 'e1';
const NAME = 'test/rows';

let server: TestValkey;
let cluster: TestValkeyCluster;
before(async () => {
  [server, cluster] = await Promise.all([startValkey(), startValkeyCluster()]);
});
after(async () => {
  await Promise.all([server.stop(), cluster.stop()]);
});

type Context = { after(work: () => Promise<void> | void): void };

interface Opened {
  readonly store: ValkeyStore;
  readonly view: StoredView;
  readonly failures: Error[];
}

async function opened(t: Context, url: string, definition = storedRows()): Promise<Opened> {
  const failures: Error[] = [];
  const log = { error: ({ err }: { err: Error }) => failures.push(err) };
  const store = await openStore({ url, database: 'd1', log: log as never });
  t.after(() => store.close());
  return { store, view: store.add(NAME, definition as never), failures };
}

/** A served generation of these rows at 10, by a new leader. */
async function built({ store, view }: Opened, ids: readonly number[], leader = 1): Promise<StoredGeneration> {
  await store.fence(leader);
  const generation = await view.create(leader, EPOCH);
  await generation.load(
    ROWS_TABLE.name,
    ids.map((id) => ({ id, a: id, b: 'built' })),
  );
  await generation.loaded(10, 0);
  await generation.serve();
  return generation;
}

const put = (id: number, a: number): Change => ({
  op: 'insert',
  table: ROWS_TABLE,
  before: null,
  after: { id, a, b: null },
});
const remove = (id: number): Change => ({ op: 'delete', table: ROWS_TABLE, before: { id }, after: null });

function commit(generation: StoredGeneration, lsn: number, ...changes: Change[]): Promise<void> {
  generation.transaction({ xid: lsn, lsn, committedAt: 0, changes });
  return generation.flush(lsn);
}

/** The rows' column `a`; undefined where the store does not answer for the position. */
async function read({ view }: Opened, lsn: number, ...ids: number[]) {
  const read = await view.read(
    ids.map((id) => ({ id }) as object),
    { epoch: EPOCH, lsn },
  );
  return read?.results.map((row) => (row as [number, string] | null)?.[0] ?? null);
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (error) => error,
  );
  assert.ok(error instanceof StoreFault, `${error}`);
  return error.reason;
}

/** Which of a cluster's servers has a bucket. */
async function ownerOfBucket(bucket: number): Promise<TestValkey> {
  for (const node of cluster.nodes) {
    const slot = String(slotOf(`lockstep:d1:{${NAME}:${bucket}}`));
    if (Number(await node.command('CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0) return node;
  }
  throw new Error(`nobody has bucket ${bucket}`);
}

/** The view with a rule of its scripts switched off. */
function without({ view }: Opened, rule: RegExp): void {
  const { source } = view.scripts.step;
  assert.match(source, rule);
  Object.assign(view.scripts, { step: scriptOf(source.replace(rule, '')) });
}

/** So that every step goes through the script that a rule is taken out of. */
const ONE_BUCKET = storedRows({ buckets: 1 });
const GAP = /^if stored ~= tonumber[\s\S]*?^end$/m;
const SKIP = /^if stored >= .*$/m;
const FENCE = /^local refused = refusal.*\nif refused.*$/m;

test('[SPEC 3] [rule 5] a transaction that comes before the one before it is a gap, not news', async (t) => {
  const early = async (rule?: RegExp) => {
    const opening = await opened(t, server.url, ONE_BUCKET);
    await server.command('FLUSHALL');
    if (rule) without(opening, rule);
    const first = await built(opening, [1]);
    await commit(first, 30);
    const [fourth, fifth] = [await opening.view.resume(1, EPOCH), await opening.view.resume(1, EPOCH)];
    await commit(fourth, 40);
    fifth.transaction({ xid: 5, lsn: 50, committedAt: 0, changes: [put(2, 5)] });
    fourth.transaction({ xid: 4, lsn: 45, committedAt: 0, changes: [put(1, 4)] });
    const outcome = [
      await fifth.flush(50).then(
        () => 'applied',
        (error) => error.reason,
      ),
      await fourth.flush(45).then(() => 'applied'),
    ];
    return { outcome, rows: await read(opening, 45, 1, 2) };
  };
  assert.deepEqual(await early(), { outcome: ['gap', 'applied'], rows: [4, null] });
  // Without the rule the one before is passed over, and nobody knows.
  assert.deepEqual(await early(GAP), { outcome: ['applied', 'applied'], rows: [1, 5] });
});

test('[SPEC 3] [rule 5] a replay of what was there before a delete brings nothing back', async (t) => {
  const replayed = async (...rules: RegExp[]) => {
    const opening = await opened(t, server.url, ONE_BUCKET);
    await server.command('FLUSHALL');
    for (const rule of rules) without(opening, rule);
    await built(opening, []);
    const [late, live] = [await opening.view.resume(1, EPOCH), await opening.view.resume(1, EPOCH)];
    await commit(live, 20, put(1, 1));
    await commit(live, 30, remove(1));
    await commit(late, 20, put(1, 1));
    return read(opening, 20, 1);
  };
  assert.deepEqual(await replayed(), [null]);
  assert.deepEqual(await replayed(SKIP, GAP), [1]);
});

test('[SPEC 5] [rule 5] a failover to a replica that was behind is noticed; it answers nothing that is old', async (t) => {
  const failover = async (rule?: RegExp) => {
    const [master, replica] = await Promise.all([startValkey({ args: AT_ONCE }), startValkey()]);
    t.after(() => Promise.all([master.stop(), replica.stop()]).then(() => {}));
    const proxy = await storeProxy(t, master.port);
    const opening = await opened(t, proxy.url, ONE_BUCKET);
    if (rule) without(opening, rule);
    const generation = await built(opening, [1]);
    await replica.command('REPLICAOF', '127.0.0.1', String(master.port));
    await replicated(replica, opening);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await commit(generation, 20, put(1, 2)); // the replica does not get it
    proxy.leadTo(replica.port);
    const before = await eventually(() => opening.view.look());
    const stale = await read(opening, 20, 1);
    const written = await commit(generation, 30, put(2, 3)).then(
      () => 'applied',
      (error) => error.reason,
    );
    return { behind: before!.lsn, stale, written, rows: await read(opening, 30, 1, 2) };
  };
  assert.deepEqual(await failover(), { behind: 10, stale: undefined, written: 'gap', rows: undefined });
  // Without the rule the position runs ahead of a row that has lost its change.
  assert.deepEqual(await failover(GAP), { behind: 10, stale: undefined, written: 'applied', rows: [1, 3] });
});

test('[SPEC 3] [rule 5] a leader that was deposed writes nothing more, whatever it was about to do', async (t) => {
  const late = async (rule?: RegExp) => {
    const opening = await opened(t, server.url, ONE_BUCKET);
    await server.command('FLUSHALL');
    if (rule) without(opening, rule);
    const old = await built(opening, [1]);
    const loading = await opening.view.create(1, EPOCH);
    await opening.store.fence(2);
    const live = await opening.view.resume(2, EPOCH);
    const flush = await commit(old, 20, put(1, 66)).then(
      () => 'applied',
      (error) => error.reason,
    );
    return { opening, old, loading, live, flush };
  };
  const { opening, old, loading, live, flush } = await late();
  assert.equal(flush, 'deposed');
  assert.equal(await refused(old.slice([put(1, 66)])), 'deposed');
  assert.equal(await refused(loading.loaded(10, 0)), 'deposed');
  assert.equal(await refused(loading.serve()), 'deposed');
  assert.equal(await refused(opening.store.fence(1)), 'deposed');
  assert.equal(await refused(opening.view.create(1, EPOCH)), 'deposed');
  await opening.view.sweep(1, () => true); // refused too, and nothing depends on it
  assert.equal((await opening.view.look())?.lsn, 10, 'not even the buckets that it has nothing for');
  await commit(live, 20, put(1, 7));
  assert.deepEqual(await read(opening, 20, 1), [7]);
  assert.equal((await late(FENCE)).flush, 'applied');
});

test('[SPEC 3] [rule 5] of two leaders with one number, as of a record and its copy, the first one is who writes', async (t) => {
  await server.command('FLUSHALL');
  const [one, two] = [await opened(t, server.url, ONE_BUCKET), await opened(t, server.url, ONE_BUCKET)];
  const generation = await built(one, [1], 4);
  const error = await two.store.fence(4).catch((error) => error);
  assert.ok(error instanceof StoreFault && error.reason === 'deposed' && error.leader === 4, `${error}`);
  await one.store.fence(4); // again, as after an answer that was lost
  await commit(generation, 20, put(1, 2));
  await two.store.fence(5);
  assert.equal(await refused(commit(generation, 30, put(1, 3))), 'deposed');
});

test('[SPEC 3] [rule 5] a batch that does not follow on what is stored ends the leader; the next one goes on from the positions', async (t) => {
  const opening = await opened(t, server.url);
  await server.command('FLUSHALL');
  const generation = await built(opening, [0, 1, 2]);
  const other = await opening.view.resume(1, EPOCH);
  await commit(other, 20, put(0, 5));
  await server.command('HSET', `lockstep:d1:{${NAME}:1}:${generation.number}`, 'position', '15');
  assert.equal(await refused(commit(other, 30, put(1, 5))), 'gap');
  await opening.store.fence(2);
  const next = await opening.view.resume(2, EPOCH);
  assert.equal(next.lsn, 15);
  next.transaction({ xid: 1, lsn: 20, committedAt: 0, changes: [put(0, 4), put(1, 4)] });
  next.transaction({ xid: 1, lsn: 40, committedAt: 0, changes: [put(2, 6)] });
  await next.flush(40);
  assert.deepEqual(await read(opening, 40, 0, 1, 2), [5, 4, 6], 'a bucket that has it passes it over');
  await server.command('HSET', `lockstep:d1:{${NAME}:2}:${generation.number}`, 'position', '17');
  assert.equal(await refused(commit(next, 50, put(0, 5))), 'gap', 'in a bucket that it has nothing for');
});

/** Counts what is applied, so that twice is not once. */
const COUNTING = storedRows({
  buckets: 2,
  script: `${storedRows().stored!.script}
local put = applies.put
function applies.put(...) redis.call('INCR', key('puts')) put(...) end
function reads.puts() return redis.call('GET', key('puts')) end`,
});

test('[SPEC 3] [rule 5] a connection that is lost in the middle of a batch: everything is applied once', async (t) => {
  const proxy = await storeProxy(t, server.port);
  const opening = await opened(t, proxy.url, COUNTING);
  await server.command('FLUSHALL');
  const generation = await built(opening, []);
  const many = (from: number) => Array.from({ length: 1500 }, (_, i) => put(2 * (from + i), from));
  let lsn = 10;
  for (const when of ['before', 'after'] as const) {
    proxy.cutOn('EVALSHA', when);
    lsn += 30;
    await commit(generation, lsn - 20, put(0, lsn), put(1, lsn));
    proxy.cutOn('EVALSHA', when);
    await commit(generation, lsn - 10, ...many(lsn));
    generation.begin(1, lsn - 5);
    for (const from of [lsn * 1000, lsn * 2000]) {
      await generation.slice(many(from));
      proxy.cutOn('EVALSHA', when);
    }
    await generation.finish(lsn);
  }
  assert.equal(proxy.cuts, 8);
  const asked = await opening.view.ask(
    [
      { bucket: 0, name: 'puts', args: [] },
      { bucket: 1, name: 'puts', args: [] },
    ],
    { epoch: EPOCH, lsn },
  );
  assert.deepEqual(asked?.replies, [String(2 * 2 * (1 + 3 * 1500)), String(2 * 2)]);
});

test('[SPEC 2] a large transaction is not read before it is whole; left unfinished it begins anew', async (t) => {
  const opening = await opened(t, server.url);
  await server.command('FLUSHALL');
  const first = await built(opening, [0, 1]);
  first.begin(1, 19);
  await first.slice([put(0, 1)]);
  assert.equal(await read(opening, 10, 0), undefined);
  assert.deepEqual(await read(opening, 10, 1), [1], 'a bucket that it has not touched yet');
  await first.slice([put(0, 2), put(1, 2)]);
  await opening.store.fence(2);
  const next = await opening.view.resume(2, EPOCH);
  assert.equal(await read(opening, 10, 0), undefined);
  // Cut elsewhere than before: a part by number is not the same part.
  next.begin(1, 19);
  await next.slice([put(0, 1), put(0, 2), put(3, 2)]);
  await next.slice([put(1, 2)]);
  assert.equal(await read(opening, 10, 0), undefined);
  await next.finish(20);
  assert.deepEqual(await read(opening, 20, 0, 1, 3), [2, 2, 2]);
  next.begin(1, 15);
  await next.slice([put(0, 66)]);
  await next.finish(20);
  assert.deepEqual(await read(opening, 20, 0), [2], 'what is stored already is passed over');
});

test('[SPEC 5] a step that fails in the middle is not read until it is done, all of it', async (t) => {
  const failing = storedRows({
    script: `${storedRows().stored!.script} function applies.clear() error('no clearing today') end`,
  });
  const opening = await opened(t, server.url, failing);
  await server.command('FLUSHALL');
  const generation = await built(opening, [0]);
  const clear: Change = { op: 'truncate', table: ROWS_TABLE, before: null, after: null };
  await assert.rejects(
    commit(generation, 20, put(0, 5), clear),
    (error) => error instanceof StoreRefused && /no clearing today/.test(error.message),
  );
  assert.equal(await read(opening, 10, 0), undefined);
  await opening.store.fence(2);
  await commit(await opening.view.resume(2, EPOCH), 20, put(0, 5), remove(0));
  assert.deepEqual(await read(opening, 20, 0), [null]);
});

test('[SPEC 5] [SPEC 6] a flush is seen by reads, writes and looks, in any bucket; what is built anew is served', async (t) => {
  for (const bucket of ['all', 0, 2]) {
    const opening = await opened(t, server.url);
    await server.command('FLUSHALL');
    const generation = await built(opening, [0, 1, 2]);
    if (bucket === 'all') await server.command('FLUSHALL');
    else await server.command('DEL', `lockstep:d1:{${NAME}:${bucket}}:${generation.number}`);
    assert.equal(await read(opening, 10, 0, 1, 2), undefined);
    assert.equal((await opening.view.look())?.intact, bucket === 'all' ? undefined : false);
    assert.equal(await refused(commit(generation, 20, put(0, 5))), 'absent');
    const anew = await built(opening, [0, 1, 2], 2);
    await commit(anew, 20, put(0, 6));
    assert.deepEqual(await read(opening, 20, 0, 1, 2), [6, 1, 2]);
    assert.deepEqual(opening.failures, []);
  }
});

test('[SPEC 5] no answer of another epoch, of an older position, or of another declaration', async (t) => {
  const opening = await opened(t, server.url);
  await server.command('FLUSHALL');
  await built(opening, [1]);
  assert.deepEqual(await read(opening, 10, 1), [1]);
  assert.equal(await read(opening, 11, 1), undefined);
  assert.equal(await opening.view.read([{ id: 1 } as object], { epoch: 'e2', lsn: 5 }), undefined);
  const other = await opened(
    t,
    server.url,
    storedRows({ script: `${storedRows().stored!.script} -- of the next version` }),
  );
  assert.deepEqual(await other.view.look(), { intact: false, epoch: EPOCH, lsn: 0, reach: null });
});

test('[SPEC 6] what is no longer served is deleted, also what an earlier leader left unfinished; nothing else is', async (t) => {
  for (const { url, nodes } of [{ ...server, url: server.url, nodes: [server] }, cluster]) {
    const opening = await opened(t, url);
    for (const node of nodes) await node.command('FLUSHALL');
    const others = opening.store.add('test/rows-2', storedRows() as never);
    await built(opening, [1, 2]);
    await opening.store.fence(1);
    const unfinished = await opening.view.create(1, EPOCH);
    await unfinished.load(ROWS_TABLE.name, [{ id: 1, a: 1, b: null }]);
    await opening.store.connection.command('SET', 'mine', 'x');
    await built({ ...opening, view: others }, [1], 2);
    const served = await built(opening, [1, 2, 3], 2);
    const dropped = await opening.view.create(2, EPOCH);
    await dropped.load(ROWS_TABLE.name, [{ id: 1, a: 1, b: null }]);
    await dropped.loaded(10, 0);
    await dropped.drop();
    const keys: string[] = [];
    await opening.view.tidied();
    await opening.store.connection.scan('*', async (found) => void keys.push(...found));
    const own = keys.filter((key) => key.includes('/rows:'));
    const generations = new Set(own.map((key) => /\}:(\d+)/.exec(key)?.[1]));
    assert.deepEqual([...generations].sort(), [String(served.number), undefined]);
    assert.ok(keys.includes('mine'));
    assert.deepEqual(await read(opening, 10, 1, 2, 3), [1, 2, 3]);
    assert.deepEqual((await others.read([{ id: 1 } as object], { epoch: EPOCH, lsn: 10 }))?.results, [[1, 'built']]);
  }
});

test('[SPEC 6] buckets of a declaration that had more of them are deleted', async (t) => {
  await server.command('FLUSHALL');
  await built(await opened(t, server.url, storedRows({ buckets: 5 })), [0, 1, 2, 3, 4]);
  const opening = await opened(t, server.url, storedRows({ buckets: 2 }));
  await built(opening, [0, 1, 2], 2);
  await opening.view.tidied();
  const keys = (await server.command('KEYS', '*')) as string[];
  assert.deepEqual([...new Set(keys.map((key) => /:(\d+)\}/.exec(key)![1]))].sort(), ['0', '1']);
  assert.deepEqual(await read(opening, 10, 0, 1, 2), [0, 1, 2]);
});

test('[SPEC 5] [rule 5] a slot that moves: no wrong answer meanwhile, and everything is there afterwards', async (t) => {
  const opening = await opened(t, cluster.url);
  for (const node of cluster.nodes) await node.command('FLUSHALL');
  const generation = await built(opening, [0, 1, 2]);
  const slot = slotOf(`lockstep:d1:{${NAME}:0}`);
  const { from, to, ids } = await ownerOf(slot);
  const [source, target] = [cluster.nodes[from]!, cluster.nodes[to]!];
  await target.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[from]!);
  await source.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[to]!);
  const keys = (await source.command('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
  assert.ok(keys.length > 3);
  const committed = commit(generation, 20, put(0, 5), put(3, 6), put(1, 7));
  for (const key of keys) {
    await source.command('MIGRATE', '127.0.0.1', String(target.port), key, '0', '5000');
    const row = await read(opening, 10, 0);
    assert.ok(row === undefined || row[0] === 0 || row[0] === 5, `${row}`);
    assert.notDeepEqual(await read(opening, 20, 0), [0]);
  }
  assert.equal(await read(opening, 20, 0), undefined);
  for (const node of [target, source, ...cluster.nodes])
    await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to]!);
  await committed;
  assert.deepEqual(await read(opening, 20, 0, 3, 1), [5, 6, 7]);
  assert.deepEqual(opening.failures, []);
});

test('[SPEC 5] [SPEC 6] a server of a cluster dies: the others answer; it comes back empty, and the view is built anew', async (t) => {
  const opening = await opened(t, cluster.url, storedRows({ buckets: 12 }));
  for (const node of cluster.nodes) await node.command('FLUSHALL');
  const generation = await built(
    opening,
    Array.from({ length: 12 }, (_, id) => id),
  );
  const owners = await Promise.all(Array.from({ length: 12 }, (_, bucket) => ownerOfBucket(bucket)));
  const lost = owners[0]!;
  const kept = owners.findIndex((owner) => owner !== lost);
  await lost.kill();
  assert.equal(await read(opening, 10, 0), undefined);
  assert.deepEqual(await read(opening, 10, kept), [kept]);
  await lost.start();
  await eventually(async () => ((await opening.view.look()) ? true : undefined));
  assert.equal((await opening.view.look())?.intact, false);
  assert.equal(await read(opening, 10, 0), undefined);
  assert.equal(await refused(commit(generation, 20, put(0, 5))), 'absent');
  await eventually(async () => {
    await built(opening, [0, kept], 2 + Math.floor(performance.now()));
    return true;
  });
  assert.deepEqual(await read(opening, 10, 0, kept), [0, kept]);
  assert.deepEqual(opening.failures, []);
});

test('[rule 5] where replicas are asked for, nothing counts as applied before they have it', async (t) => {
  const [master, replica] = await Promise.all([startValkey({ args: AT_ONCE }), startValkey()]);
  t.after(() => Promise.all([master.stop(), replica.stop()]).then(() => {}));
  await replica.command('REPLICAOF', '127.0.0.1', String(master.port));
  const store = await openStore({ url: master.url, database: 'd1', replicas: 1, log: { error: () => {} } as never });
  t.after(() => store.close());
  const opening = { store, view: store.add(NAME, storedRows() as never), failures: [] };
  const generation = await built(opening, [1]);
  await commit(generation, 20, put(1, 2));
  replica.pause();
  let applied = false;
  const committed = commit(generation, 30, put(1, 3)).then(() => {
    applied = true;
  });
  // Reads do not wait for replicas.
  await eventually(async () => (await read(opening, 30, 1)) ?? undefined);
  assert.equal(applied, false);
  replica.resume();
  await committed;
  const position = await replica.command('HGET', `lockstep:d1:{${NAME}:1}:${generation.number}`, 'position');
  assert.equal(position, '30');
});

test('[SPEC 9] a user with the rights that docs/valkey.md names is enough', async (t) => {
  const page = readFileSync(new URL('../../../../docs/valkey.md', import.meta.url), 'utf8');
  const [, rights] = /`(\+@read [^`]*)`/.exec(page)!;
  const [limited, replica] = await Promise.all([startValkey({ args: AT_ONCE }), startValkey()]);
  t.after(() => Promise.all([limited.stop(), replica.stop()]).then(() => {}));
  await replica.command('REPLICAOF', '127.0.0.1', String(limited.port));
  await limited.command(
    'ACL',
    'SETUSER',
    'app',
    'on',
    '>s3cret',
    '~lockstep:*',
    '&lockstep:*',
    ...rights!.split(/\s+/),
  );
  const failures: Error[] = [];
  const log = { error: ({ err }: { err: Error }) => failures.push(err) };
  const url = limited.url.replace('://', '://app:s3cret@');
  const store = await openStore({ url, database: 'd1', replicas: 1, log: log as never });
  t.after(() => store.close());
  const opening = { store, view: store.add(NAME, storedRows() as never), failures };
  await commit(await built(opening, [1]), 20, put(1, 2));
  await built(opening, [1, 2], 2);
  assert.deepEqual(await read(opening, 10, 1, 2), [1, 2]);
  await eventually(() => (opening.view.stats().bytes > 0 ? true : undefined));
  const heard: Buffer[] = [];
  await store.connection.subscribe('lockstep:d1:changes', (message) => heard.push(message));
  await store.connection.publish('lockstep:d1:changes', Buffer.from('x'));
  await store.connection.command('HSET', 'lockstep:d1:nodes', 'a', '1');
  await store.connection.command('TIME');
  await eventually(() => (heard.length > 0 ? true : undefined));
  assert.deepEqual(failures, []);
  await assert.rejects(store.connection.command('GET', 'mine'), /NOPERM/);
});

test('the entries are counted and the memory is told', async (t) => {
  const opening = await opened(t, server.url);
  await server.command('FLUSHALL');
  await built(
    opening,
    Array.from({ length: 500 }, (_, id) => id),
  );
  const stats = await eventually(() => {
    const stats = opening.view.stats();
    return stats.entries > 0 && stats.bytes > 0 ? stats : undefined;
  });
  assert.equal(stats.entries, 500);
  assert.ok(stats.bytes > 500 * 10 && stats.bytes < 500 * 1000, `${stats.bytes}`);
});

async function ownerOf(slot: number): Promise<{ from: number; to: number; ids: string[] }> {
  const ids = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'MYID').then(String)));
  const held = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'COUNTKEYSINSLOT', String(slot))));
  const from = held.findIndex((count) => Number(count) > 0);
  return { from, to: (from + 1) % 3, ids };
}

const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

async function replicated(replica: TestValkey, { view }: Opened): Promise<void> {
  const key = `lockstep:d1:{${NAME}:${view.kind.buckets - 1}}`;
  await eventually(async () => (await replica.command('EXISTS', key).catch(() => 0)) || undefined);
}

async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 5))) {
    const found = await Promise.resolve(look()).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error('waited in vain');
}
