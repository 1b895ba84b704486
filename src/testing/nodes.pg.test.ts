import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultProxy } from './fault-proxy.ts';
import { allReady, leaderOf, nodes, until } from './node-group.ts';

// What stands around the store, on real PostgreSQL: the nodes of these tests share one process and a store in its memory.

test('[SPEC 4] a write on one node is read on every other one, from the view', async (t) => {
  const { apps, play, best } = await nodes(t, 3);
  for (let i = 0; i < 12; i++) {
    const { score, position } = await play(apps[i % 3]!);
    for (const app of apps) assert.deepEqual(await best(app, position), { score, source: 'view' });
  }
  assert.equal(apps.filter(({ live }) => live.status().slot).length, 1, 'one node follows');
  await until('each knows all', () => apps.every(({ live }) => live.status().nodes!.length === 3));
});

test('[SPEC 3] a node that leaves hands over; nothing is lost, and nobody notices but by a moment', async (t) => {
  const { apps, play, best } = await nodes(t, 3);
  await play(apps[0]!);
  const leader = leaderOf(apps)!;
  const rest = apps.filter((app) => app !== leader);
  const stopped = leader.stop();
  for (let i = 0; i < 10; i++) {
    const { score, position } = await play(rest[i % 2]!);
    assert.equal((await best(rest[(i + 1) % 2]!, position)).score, score);
  }
  await stopped;
  await until('another one leads', () => leaderOf(rest) !== undefined && allReady(rest)());
  const { score, position } = await play(rest[0]!);
  assert.deepEqual(await best(rest[1]!, position), { score, source: 'view' });
  const [view] = leaderOf(rest)!.views;
  assert.equal((await view!.verify()).drift, 0);
});

test('[SPEC 5] [rule 16] a leader whose stream does not start answers from the record, and gives the lead up when it is stopped', async (t) => {
  const { url, apps, play, best, open } = await nodes(t, 1);
  await play(apps[0]!);
  const proxy = await faultProxy(t, url);
  const cutOff = await open({ replicationUrl: proxy.url });
  const silenced = proxy.silenceOn('START_REPLICATION');
  await Promise.all([apps[0]!.stop(), silenced]);
  assert.equal(cutOff.live.status().ready, false);
  assert.equal((await best(cutOff)).source, 'record');
  const began = performance.now();
  await cutOff.stop();
  assert.ok(performance.now() - began < 8000, 'without waiting for the server');
  const next = await open();
  const { score, position } = await play(next);
  assert.deepEqual(await best(next, position), { score, source: 'view' });
});

test('[SPEC 3] [rule 16] [rule 5] a leader that is deposed while it lives becomes a follower, and does no harm', async (t) => {
  const { apps, play, best, record, store } = await nodes(t, 2);
  await play(apps[0]!);
  const before = leaderOf(apps)!;
  const epoch = store.leader;
  await record.query('select pg_terminate_backend(pid) from lockstep.leader');
  await until('a later term', () => store.leader > epoch && leaderOf(apps) !== undefined && allReady(apps)());
  for (let i = 0; i < 6; i++) {
    const { score, position } = await play(i % 2 ? before : apps[1]!);
    for (const app of apps) assert.equal((await best(app, position)).score, score);
  }
  const leader = leaderOf(apps)!;
  for (const view of leader.views) assert.equal((await view.verify()).drift, 0);
});

test('[SPEC 3] [rule 20] messages that are lost are noticed: subscribers start anew, and nothing is stale', async (t) => {
  const { apps, play, best, store } = await nodes(t, 2);
  const follower = apps.find((app) => app !== leaderOf(apps))!;
  const leader = leaderOf(apps)!;
  await play(leader);
  let resyncs = 0;
  const unfollow = follower.live.follow({ transaction() {}, resync: () => resyncs++ });
  store.cut = true;
  const { score, position } = await play(leader);
  // It has not heard of it: it waits, and then the record answers.
  await until('it is out of step', () => !follower.live.status().ready);
  assert.deepEqual(await best(follower, position), { score, source: 'record' });
  store.cut = false;
  await until('it has heard again', allReady(apps));
  assert.ok(resyncs > 0);
  assert.deepEqual(await best(follower, position), { score, source: 'view' });
  unfollow();
});

test('[SPEC 6] [rule 5] a store that is emptied is never answered from, and is built anew while all go on', async (t) => {
  const { apps, play, best, store } = await nodes(t, 2);
  for (let round = 0; round < 3; round++) {
    await play(apps[0]!);
    store.flush();
    for (let i = 0; i < 8; i++) {
      const { score, position } = await play(apps[i % 2]!);
      assert.equal((await best(apps[(i + 1) % 2]!, position)).score, score);
      assert.equal((await best(apps[i % 2]!)).score, score);
    }
    await until('built anew', () => store.views.size > 1 && allReady(apps)());
    const { score, position } = await play(apps[1]!);
    assert.deepEqual(await best(apps[0]!, position), { score, source: 'view' });
  }
  for (const view of leaderOf(apps)!.views) assert.equal((await view.verify()).drift, 0);
});

test('[SPEC 5] [rule 15] DDL while nobody leads is noticed by the next leader', async (t) => {
  const { apps, play, best, record, open } = await nodes(t, 1);
  await play(apps[0]!);
  await apps[0]!.stop();
  await record.query('alter table leaderboard.games alter column score type bigint using score + 1000');
  const again = await open();
  const { score } = await best(again);
  assert.equal(score, 1001);
  assert.equal((await best(again)).source, 'view');
});

test('[SPEC 3] [rule 14] nodes that were all away go on from the slot: nothing is built anew, nothing is missed', async (t) => {
  const { apps, play, best, record, open, store } = await nodes(t, 1);
  await play(apps[0]!);
  const state = store.views.get('leaderboard/games')!.state;
  await apps[0]!.stop();
  await record.query(`update leaderboard.games set score = 77`);
  const again = await open();
  assert.deepEqual(await best(again), { score: 77, source: 'view' });
  assert.equal(store.views.get('leaderboard/games')!.state, state, 'the same state');
});

test('[SPEC 6] [SPEC 7] a view is built anew beside what is served, and verified, by the node that leads, whichever is asked', async (t) => {
  const { apps, play, best, store } = await nodes(t, 2);
  await play(apps[0]!);
  const leader = leaderOf(apps)!;
  const view = leader.views[0]!;
  let writing = true;
  const writes = (async () => {
    while (writing) await play(apps[1]!);
  })();
  await view.rebuild();
  writing = false;
  await writes;
  const { score, position } = await play(apps[1]!);
  for (const app of apps) assert.deepEqual(await best(app, position), { score, source: 'view' });
  assert.equal((await view.verify()).drift, 0);
  const other = apps.find((app) => app !== leader)!.views[0]!;
  const rebuilds = view.status().rebuilds;
  let told = 0;
  await other.rebuild(() => told++);
  assert.equal(view.status().rebuilds, rebuilds + 1);
  assert.ok(told > 0, 'it tells how far it is');
  const { drift, compared } = await other.verify();
  assert.deepEqual([drift, compared > 0], [0, true]);
  const [first, second] = await Promise.allSettled([view.verify(), other.verify()]);
  assert.equal(first.status, 'fulfilled');
  assert.match(String((second as PromiseRejectedResult).reason), /is being rebuilt or verified/, 'in its own words');
  store.cut = true;
  await assert.rejects(other.verify(), { status: 503, message: /\(\S+\) does not answer/ });
});

test('[SPEC 2] every change reaches the listeners of every node, in order', async (t) => {
  const { apps, play } = await nodes(t, 3);
  const seen = apps.map(() => [] as number[]);
  const offs = apps.map((app, i) =>
    app.live.follow({
      transaction: ({ changes }) => {
        for (const change of changes) {
          if (change.table.name === 'leaderboard.games') seen[i]!.push(change.after!.score as number);
        }
      },
      resync() {},
    }),
  );
  const played: number[] = [];
  for (let i = 0; i < 15; i++) played.push((await play(apps[i % 3]!)).score);
  await until('all have heard', () => seen.every((scores) => scores.length === played.length));
  for (const scores of seen) assert.deepEqual(scores, played);
  for (const off of offs) off();
});
