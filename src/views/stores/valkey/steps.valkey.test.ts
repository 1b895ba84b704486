import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../changes/change.ts';
import { storeProxy } from '../../../testing/fault-proxy.ts';
import { built, commit, EPOCH, opened, put, read, remove } from '../../../testing/store-steps.ts';
import { ROWS_TABLE, storedRows } from '../../../testing/stored-rows.ts';
import { forThisFile, startValkey } from '../../../testing/valkey.ts';
import type { Operation } from '../../stored.ts';
import { StoreRefused } from './errors.ts';

// What stands in a bucket between two steps, and in the middle of one.

const server = await forThisFile(startValkey());

/** Counts what is applied, so that twice is not once. */
const COUNTING = storedRows({
  buckets: 2,
  script: `${storedRows().stored!.script}
local put = applies.put
function applies.put(...) redis.call('INCR', key('puts')) put(...) end
function reads.puts() return redis.call('GET', key('puts')) end`,
});

const { stored } = storedRows();
/** Does something now and then that belongs to no transaction. */
const EXPIRING = {
  ...storedRows(),
  stored: {
    ...stored!,
    script: `${stored!.script} function applies.expire(now) if now == '1' then error('not today') end end`,
    expire: (now: number): Operation[] => [['expire', String(now)]],
  },
};

test('[SPEC 3] [rule 5] a connection that is lost in the middle of a batch: everything is applied once', async (t) => {
  const proxy = await storeProxy(t, server.port);
  const opening = await opened(t, proxy.url, { definition: COUNTING });
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

test('[SPEC 2] [SPEC 5] what a leader left unfinished stays unread while the log moves on without it', async (t) => {
  const opening = await opened(t, server.url, { definition: EXPIRING });
  await server.command('FLUSHALL');
  const first = await built(opening, [0]);
  first.begin(1, 19);
  await first.slice([put(0, 1)]);
  await opening.store.fence(2);
  const next = await opening.view.resume(2, EPOCH);
  await next.flush(12);
  assert.equal(await read(opening, 10, 0), undefined, 'a keepalive is not its end');
  next.expire(0);
  await next.flush(14);
  assert.equal(await read(opening, 10, 0), undefined, 'nor is what is done now and then');
  assert.deepEqual(await opening.view.look(), { intact: true, epoch: EPOCH, lsn: 14, reach: null });
  await commit(next, 20, put(0, 1), put(2, 1));
  assert.deepEqual(await read(opening, 20, 0, 2), [1, 1]);
  next.begin(1, 29);
  await next.slice([put(0, 3)]);
  await next.finish(30);
  await next.flush(40);
  assert.deepEqual(await read(opening, 40, 0), [3]);
});

test('[SPEC 5] what is done now and then, and fails in the middle, is done again before the bucket is read', async (t) => {
  const opening = await opened(t, server.url, { definition: EXPIRING });
  await server.command('FLUSHALL');
  const first = await built(opening, [0]);
  first.expire(1);
  await assert.rejects(first.flush(20), /not today/);
  await opening.store.fence(2);
  const next = await opening.view.resume(2, EPOCH);
  await next.flush(30);
  assert.equal(await read(opening, 10, 0), undefined);
  next.expire(2);
  await next.flush(40);
  assert.deepEqual(await read(opening, 40, 0), [0]);
});

test('[SPEC 5] a step that fails in the middle is not read until it is done, all of it', async (t) => {
  const failing = storedRows({
    script: `${storedRows().stored!.script} function applies.clear() error('no clearing today') end`,
  });
  const opening = await opened(t, server.url, { definition: failing });
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
