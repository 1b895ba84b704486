import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPosition, parsePosition } from '../changes/position.ts';
import { faultProxy } from './fault-proxy.ts';
import { allReady, nodes, until } from './node-group.ts';

// Rules of docs/correctness.md where the views live in a store: each test fails when its rule is switched off there.

test('[SPEC 9] [rule 3] a position that is ahead of the record is refused at once by every node, in step or not', async (t) => {
  const { apps, play, store } = await nodes(t, 2, { waitMs: 30_000 });
  const { position } = await play(apps[0]!);
  const { epoch, lsn } = parsePosition(position)!;
  const headers = { 'lockstep-min-position': formatPosition({ epoch, lsn: lsn + 2 ** 40 }) };
  const refused = async (app: (typeof apps)[number]) => {
    const began = performance.now();
    const answer = await fetch(`${app.url}/leaderboard/users/alice`, { headers });
    assert.equal(answer.status, 400, await answer.text());
    assert.ok(performance.now() - began < 20_000, 'it was not waited for');
    assert.equal(app.live.waiters, 0);
  };
  for (const app of apps) await refused(app);
  store.cut = true;
  await until('a node is out of step', () => apps.some(({ live }) => !live.status().ready));
  for (const app of apps) await refused(app);
});

test('[SPEC 8] [rule 14] a slot that kept more log than it may while the nodes were away is given up: the views are built anew', async (t) => {
  const { apps, play, best, record, open, store } = await nodes(t, 1);
  await play(apps[0]!);
  const before = store.views.get('leaderboard/games')!.state;
  await apps[0]!.stop();
  await record.query(`update leaderboard.games set score = 77`);
  await record.query(`select pg_logical_emit_message(false, 'test', repeat('x', 20 * 1024 * 1024))`);
  const again = await open({ walLimitBytes: 2 ** 24 });
  assert.notEqual(store.views.get('leaderboard/games')!.state, before);
  assert.deepEqual(await best(again), { score: 77, source: 'view' });
  await until('its own slot keeps less', () => again.live.status().slot!.retainedBytes < 2 ** 24);
});

test('[SPEC 5] [rule 15] DDL that changes rows without events, while nodes run: no node answers with what was there before', async (t) => {
  const { apps, play, best, record } = await nodes(t, 2);
  await play(apps[0]!);
  await record.query('alter table leaderboard.games alter column score type bigint using score + 1000');
  const { position } = await play(apps[1]!);
  for (const app of apps) assert.equal((await best(app, position)).score, 1001);
  await until('built anew', async () => allReady(apps)() && (await best(apps[0]!)).source === 'view');
  const next = await play(apps[0]!);
  for (const app of apps) assert.deepEqual(await best(app, next.position), { score: 1001, source: 'view' });
});

test('[rule 16] who leads is decided past the pooler where LOCKSTEP_REPLICATION_URL says so', async (t) => {
  const { url, open } = await nodes(t, 0);
  const pooler = await faultProxy(t, url);
  for (const [settings, through] of [
    [{ replicationUrl: url }, 0],
    [{}, 1],
  ] as const) {
    pooler.cutOn('lockstep leader', 'before'); // in the statement that takes the lock
    const app = await open({ databaseUrl: pooler.url, ...settings });
    assert.equal(pooler.cuts, through);
    await app.stop();
  }
});

test('[SPEC 6] [rule 5] a record that was restored, and has forgotten the leaders that the store has seen, is led at once', {
  timeout: 120_000,
}, async (t) => {
  const { store, open, record } = await nodes(t, 0);
  store.leader = 500;
  await open();
  assert.deepEqual(await record.query('select epoch from lockstep.leader'), [{ epoch: 501 }]);
});
