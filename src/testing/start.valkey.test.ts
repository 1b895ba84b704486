import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startValkey, startValkeyCluster } from './valkey.ts';

test('a server starts, loses its data when killed, and leaves nothing', async (t) => {
  const server = await startValkey();
  t.after(() => server.stop());
  await server.command('SET', 'a', '1');
  assert.equal(await server.command('GET', 'a'), '1');
  const { dir } = (await server.command('CONFIG', 'GET', 'dir')) as { dir: string };
  await server.kill();
  await server.start();
  assert.equal(await server.command('GET', 'a'), null);
  await server.stop();
  await assert.rejects(server.command('PING'));
  assert.equal(existsSync(dir), false);
});

test('a cluster of three masters takes all slots', async () => {
  const cluster = await startValkeyCluster();
  try {
    const info = String(await cluster.nodes[2]!.command('CLUSTER', 'INFO'));
    assert.match(info, /cluster_known_nodes:3/);
    assert.match(info, /cluster_slots_ok:16384/);
  } finally {
    await cluster.stop();
  }
});
