import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, commit, EPOCH, type Opened, opened, put, refused } from '../../../testing/store-steps.ts';
import { forThisFile, startValkey } from '../../../testing/valkey.ts';

// What a failover of the record means to the buckets.

const server = await forThisFile(startValkey());

/** Two processes that know the view, which is served at 10 by the first one. */
async function pair(t: Parameters<typeof opened>[0]) {
  const [old, next] = [await opened(t, server.url), await opened(t, server.url)];
  await server.command('FLUSHALL');
  return { old, next, before: await built(old, [1]) };
}

const read = (opening: Opened, epoch: string, lsn: number) =>
  opening.view.read([{ id: 1 } as object], { epoch, lsn }).then((answer) => answer?.lsn);

test('[SPEC 6] [rule 1] in another epoch of the record a view goes on where it was, and nothing of the epoch before is answered or taken', async (t) => {
  const { next, before } = await pair(t);
  await commit(before, 20, put(2, 20));
  assert.deepEqual(await next.view.look(), { intact: true, epoch: EPOCH, lsn: 20, reach: 20 });
  await next.store.fence(2);
  assert.equal(await refused(next.view.resume(2, 'e2')), 'absent', 'it is not of that epoch');
  const resumed = await next.view.resume(2, 'e2', EPOCH);
  assert.equal(await read(next, EPOCH, 0), undefined);
  assert.equal(await read(next, 'e2', 20), 20);
  await commit(resumed, 30, put(1, 30));
  assert.equal(await read(next, 'e2', 30), 30);
  assert.equal((await next.view.look())?.epoch, 'e2');
});

test('[SPEC 6] [rule 1] a bucket that is not as it was found, or is in the middle of a step, does not change its epoch', async (t) => {
  const { next, before } = await pair(t);
  before.begin(7, 25);
  await before.slice([put(1, 25)]);
  assert.deepEqual(await next.view.look(), { intact: true, epoch: EPOCH, lsn: 10, reach: null });
  await next.store.fence(2);
  assert.equal(await refused(next.view.resume(2, 'e2', EPOCH)), 'gap');
});

test('[SPEC 3] [rule 5] of two leaders with one epoch, which a record that went back has given out twice, the first has it', async (t) => {
  const { old, next } = await pair(t);
  assert.equal(await refused(next.store.fence(1)), 'deposed');
  await assert.doesNotReject(old.store.fence(1), 'asked again after a lost answer');
  await next.store.fence(2);
  assert.equal(await refused(old.store.fence(1)), 'deposed');
});
