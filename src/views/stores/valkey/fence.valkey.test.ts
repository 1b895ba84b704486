import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeProxy } from '../../../testing/fault-proxy.ts';
import {
  AT_ONCE,
  bucketKey,
  built,
  commit,
  EPOCH,
  eventually,
  opened,
  put,
  read,
  refused,
  remove,
  replicated,
  without,
} from '../../../testing/store-steps.ts';
import { storedRows } from '../../../testing/stored-rows.ts';
import { forThisFile, startValkey } from '../../../testing/valkey.ts';
import { StoreFault } from './errors.ts';

// Who may write to a bucket, and from where on.

const server = await forThisFile(startValkey());

/** So that every step goes through the script that a rule is taken out of. */
const ONE_BUCKET = storedRows({ buckets: 1 });
const GAP = /^if stored ~= tonumber[\s\S]*?^end$/m;
const SKIP = /^if stored >= .*$/m;
const FENCE = /^local refused = refusal.*\nif refused.*$/m;

test('[SPEC 3] [rule 5] a transaction that comes before the one before it is a gap, not news', async (t) => {
  const early = async (rule?: RegExp) => {
    const opening = await opened(t, server.url, { definition: ONE_BUCKET });
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
    const opening = await opened(t, server.url, { definition: ONE_BUCKET });
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
    const opening = await opened(t, proxy.url, { definition: ONE_BUCKET });
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
    const opening = await opened(t, server.url, { definition: ONE_BUCKET });
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
  const [one, two] = [
    await opened(t, server.url, { definition: ONE_BUCKET }),
    await opened(t, server.url, { definition: ONE_BUCKET }),
  ];
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
  await server.command('HSET', bucketKey(1, generation.number), 'position', '15');
  assert.equal(await refused(commit(other, 30, put(1, 5))), 'gap');
  await opening.store.fence(2);
  const next = await opening.view.resume(2, EPOCH);
  assert.equal(next.lsn, 15);
  next.transaction({ xid: 1, lsn: 20, committedAt: 0, changes: [put(0, 4), put(1, 4)] });
  next.transaction({ xid: 1, lsn: 40, committedAt: 0, changes: [put(2, 6)] });
  await next.flush(40);
  assert.deepEqual(await read(opening, 40, 0, 1, 2), [5, 4, 6], 'a bucket that has it passes it over');
  await server.command('HSET', bucketKey(2, generation.number), 'position', '17');
  assert.equal(await refused(commit(next, 50, put(0, 5))), 'gap', 'in a bucket that it has nothing for');
});
