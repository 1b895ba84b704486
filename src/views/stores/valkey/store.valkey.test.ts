import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  AT_ONCE,
  bucketKey,
  built,
  commit,
  DATABASE,
  EPOCH,
  eventually,
  opened,
  put,
  read,
} from '../../../testing/store-steps.ts';
import { ROWS_TABLE, storedRows } from '../../../testing/stored-rows.ts';
import { forThisFile, startValkey, startValkeyCluster } from '../../../testing/valkey.ts';

// What the store keeps, deletes, counts and waits for.

const [server, cluster] = await Promise.all([forThisFile(startValkey()), forThisFile(startValkeyCluster())]);

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
  await built(await opened(t, server.url, { definition: storedRows({ buckets: 5 }) }), [0, 1, 2, 3, 4]);
  const opening = await opened(t, server.url, { definition: storedRows({ buckets: 2 }) });
  await built(opening, [0, 1, 2], 2);
  await opening.view.tidied();
  const keys = (await server.command('KEYS', '*')) as string[];
  assert.deepEqual([...new Set(keys.map((key) => /:(\d+)\}/.exec(key)![1]))].sort(), ['0', '1']);
  assert.deepEqual(await read(opening, 10, 0, 1, 2), [0, 1, 2]);
});

test('[rule 5] where replicas are asked for, nothing counts as applied before they have it', async (t) => {
  const [master, replica] = await Promise.all([startValkey({ args: AT_ONCE }), startValkey()]);
  t.after(() => Promise.all([master.stop(), replica.stop()]).then(() => {}));
  await replica.command('REPLICAOF', '127.0.0.1', String(master.port));
  const opening = await opened(t, master.url, { replicas: 1 });
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
  const position = await replica.command('HGET', bucketKey(1, generation.number), 'position');
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
  const url = limited.url.replace('://', '://app:s3cret@');
  const opening = await opened(t, url, { replicas: 1 });
  const { store, failures } = opening;
  await commit(await built(opening, [1]), 20, put(1, 2));
  await built(opening, [1, 2], 2);
  assert.deepEqual(await read(opening, 10, 1, 2), [1, 2]);
  await eventually(() => (opening.view.stats().bytes > 0 ? true : undefined));
  const heard: Buffer[] = [];
  await store.connection.subscribe(`lockstep:${DATABASE}:changes`, (message) => heard.push(message));
  await store.connection.publish(`lockstep:${DATABASE}:changes`, Buffer.from('x'));
  await store.connection.command('HSET', `lockstep:${DATABASE}:nodes`, 'a', '1');
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
