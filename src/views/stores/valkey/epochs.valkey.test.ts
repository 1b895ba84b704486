import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ROWS_TABLE, storedRows } from '../../../testing/stored-rows.ts';
import { startValkey, type TestValkey } from '../../../testing/valkey.ts';
import type { StoredGeneration } from './generation.ts';
import { openStore } from './store.ts';

// What a failover of the record means to the buckets.

let server: TestValkey;
before(async () => {
  server = await startValkey();
});
after(() => server.stop());

type Context = { after(work: () => Promise<void>): void };

/** A process that knows the view. */
async function opened(t: Context) {
  const store = await openStore({ url: server.url, database: 'd1', log: { error: () => {} } as never });
  t.after(() => store.close());
  return { store, view: store.add('test/rows', storedRows() as never) };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** Served at 10 of the epoch `e1`, by the first leader. */
async function built({ store, view }: Opened): Promise<StoredGeneration> {
  await server.command('FLUSHALL');
  await store.fence(1);
  const generation = await view.create(1, 'e1');
  await generation.load(ROWS_TABLE.name, [{ id: 1, a: 1, b: null }]);
  await generation.loaded(10, 0);
  await generation.serve();
  return generation;
}

const put = (id: number, lsn: number) => ({
  ...{ xid: lsn, lsn, committedAt: 0 },
  changes: [{ op: 'insert' as const, table: ROWS_TABLE, before: null, after: { id, a: lsn, b: null } }],
});

async function refused(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'taken',
    (error: Error & { reason?: string }) => error.reason ?? error.message,
  );
}

const read = (opening: Opened, epoch: string, lsn: number) =>
  opening.view.read([{ id: 1 } as object], { epoch, lsn }).then((answer) => answer?.lsn);

test('[SPEC 6] [rule 1] in another epoch of the record a view goes on where it was, and nothing of the epoch before is answered or taken', async (t) => {
  const [old, next] = [await opened(t), await opened(t)];
  const before = await built(old);
  before.transaction(put(2, 20));
  await before.flush(20);
  assert.deepEqual(await next.view.look(), { intact: true, epoch: 'e1', lsn: 20, reach: 20 });
  await next.store.fence(2);
  assert.equal(await refused(next.view.resume(2, 'e2')), 'absent', 'it is not of that epoch');
  const resumed = await next.view.resume(2, 'e2', 'e1');
  assert.equal(await read(next, 'e1', 0), undefined);
  assert.equal(await read(next, 'e2', 20), 20);
  resumed.transaction(put(1, 30));
  await resumed.flush(30);
  assert.equal(await read(next, 'e2', 30), 30);
  assert.equal((await next.view.look())?.epoch, 'e2');
});

test('[SPEC 6] [rule 1] a bucket that is not as it was found, or is in the middle of a step, does not change its epoch', async (t) => {
  const [old, next] = [await opened(t), await opened(t)];
  const before = await built(old);
  before.begin(7, 25);
  await before.slice([put(1, 25).changes[0]!]);
  assert.deepEqual(await next.view.look(), { intact: true, epoch: 'e1', lsn: 10, reach: null });
  await next.store.fence(2);
  assert.equal(await refused(next.view.resume(2, 'e2', 'e1')), 'gap');
});

test('[SPEC 3] [rule 5] of two leaders with one epoch, which a record that went back has given out twice, the first has it', async (t) => {
  const [old, next] = [await opened(t), await opened(t)];
  await built(old);
  assert.equal(await refused(next.store.fence(1)), 'deposed');
  assert.equal(await refused(old.store.fence(1)), 'taken', 'asked again after a lost answer');
  await next.store.fence(2);
  assert.equal(await refused(old.store.fence(1)), 'deposed');
});
