import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bucketKey,
  built,
  commit,
  EPOCH,
  eventually,
  opened,
  put,
  read,
  refused,
} from '../../../testing/store-steps.ts';
import { storedRows } from '../../../testing/stored-rows.ts';
import { forThisFile, startValkey, startValkeyCluster, type TestValkey } from '../../../testing/valkey.ts';
import { slotOf } from './wire/slots.ts';

// A store that lost something, or is changed under the views.

const [server, cluster] = await Promise.all([forThisFile(startValkey()), forThisFile(startValkeyCluster())]);

test('[SPEC 5] [SPEC 6] a flush is seen by reads, writes and looks, in any bucket; what is built anew is served', async (t) => {
  for (const bucket of ['all', 0, 2] as const) {
    const opening = await opened(t, server.url);
    await server.command('FLUSHALL');
    const generation = await built(opening, [0, 1, 2]);
    if (bucket === 'all') await server.command('FLUSHALL');
    else await server.command('DEL', bucketKey(bucket, generation.number));
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
  const other = await opened(t, server.url, {
    definition: storedRows({ script: `${storedRows().stored!.script} -- of the next version` }),
  });
  assert.deepEqual(await other.view.look(), { intact: false, epoch: EPOCH, lsn: 0, reach: null });
});

test('[SPEC 5] [rule 5] a slot that moves: no wrong answer meanwhile, and everything is there afterwards', async (t) => {
  const opening = await opened(t, cluster.url);
  for (const node of cluster.nodes) await node.command('FLUSHALL');
  const generation = await built(opening, [0, 1, 2]);
  const slot = slotOf(bucketKey(0));
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
  const opening = await opened(t, cluster.url, { definition: storedRows({ buckets: 12 }) });
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

/** Which of a cluster's servers has a bucket. */
async function ownerOfBucket(bucket: number): Promise<TestValkey> {
  for (const node of cluster.nodes) {
    const slot = String(slotOf(bucketKey(bucket)));
    if (Number(await node.command('CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0) return node;
  }
  throw new Error(`nobody has bucket ${bucket}`);
}

async function ownerOf(slot: number): Promise<{ from: number; to: number; ids: string[] }> {
  const ids = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'MYID').then(String)));
  const held = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'COUNTKEYSINSLOT', String(slot))));
  const from = held.findIndex((count) => Number(count) > 0);
  return { from, to: (from + 1) % 3, ids };
}
