import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RebuildNeeded } from '../changes/feed.ts';
import { FakeLog, type FakeSession } from '../testing/fake-feed.ts';
import { ALL, expected, following, settle, until } from '../testing/fake-follower.ts';
import type { FakeState } from '../testing/fake-view.ts';
import { PositionOfAnotherEpoch } from './errors.ts';

function logWith(...ids: number[]): FakeLog {
  const log = new FakeLog();
  log.commit(ids.map((id) => ({ id, value: id })));
  return log;
}

test('[SPEC 3] [rule 1] after a failover positions are of the new epoch, and those of the old one are refused', async (t) => {
  const log = logWith(1, 2);
  let epoch = 'first';
  const { follower, watermark, view } = following(t, log, { open: async () => log.open(epoch) });
  await follower.start();
  await settle(log, watermark);
  for (let i = 0; i < 9; i++) log.commit([{ id: 3, value: i }]);
  await settle(log, watermark);
  const old = watermark.position;
  assert.equal(old.epoch, 'first');
  // The standby that was promoted lacks the last of it, and goes on with LSNs that were given out before.
  epoch = 'second';
  log.lsn -= 40;
  log.log.splice(-4);
  log.rows.set(3, 4);
  log.commit([{ id: 9, value: 9 }]);
  [...log.sessions][0]!.kill();
  await until('the new epoch', () => view.state === 'live' && watermark.position.epoch === 'second');
  await settle(log, watermark);
  assert.deepEqual(watermark.position, { epoch: 'second', lsn: log.lsn });
  assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
  await assert.rejects(view.read([ALL], { minPosition: old }), PositionOfAnotherEpoch);
  log.commit([{ id: 10, value: 1 }]);
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], expected(log), 'what is "not newer" than before is not skipped');
});

test('[SPEC 5] [rule 11] [rule 15] told of DDL, a view does not answer until SQL has shown the schema of that moment', async (t) => {
  const log = logWith(1);
  const { xid } = log.commit([{ id: 2, value: 2 }]);
  let visible = false;
  let asked = 0;
  let checkedWhile: boolean | undefined;
  const { follower, watermark, view } = following(t, log, {
    currentSnapshot: async () => {
      asked++;
      return visible ? '900:900:' : `${xid + 1}:${xid + 2}:${xid + 1}`;
    },
    checkSchema: async (told) => {
      if (told) checkedWhile = visible;
    },
  });
  await follower.start();
  await settle(log, watermark);
  assert.equal(log.commit([{ id: 1, value: 5 }]).xid, xid + 1);
  const [session] = log.sessions;
  session!.step();
  session!.tellSchemaChange();
  assert.equal(view.readNow([ALL]), undefined);
  assert.equal(follower.status().views[0]!.state, 'catching up');
  await until('SQL was asked', () => asked >= 3);
  assert.equal(checkedWhile, undefined, 'not while the snapshot lags behind the log');
  assert.equal(view.readNow([ALL]), undefined);
  visible = true;
  await until('the view is live', () => view.state === 'live');
  assert.equal(checkedWhile, true);
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=5', '2=2']);
});

test('[SPEC 6] [rule 15] the schema is looked at now and then too, since not every log tells of DDL', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const log = logWith(1);
  let changed = false;
  let looks = 0;
  const { follower, watermark, view } = following(t, log, {
    checkSchema: async () => {
      looks++;
      if (!changed) return;
      changed = false;
      throw new RebuildNeeded('schema changed', 'a column has another type');
    },
  });
  await follower.start();
  await settle(log, watermark);
  const look = async () => {
    const before = looks;
    t.mock.timers.tick(1000);
    await until('a look', () => looks > before);
  };
  await look();
  assert.equal(view.state, 'live');
  changed = true;
  await look();
  await until('it is built anew', () => follower.status().reconnects === 1 && view.state === 'live');
});

test('stop ends a follower that is just opening its next session', async (t) => {
  const log = logWith(1);
  const opening = Promise.withResolvers<void>();
  let gate: Promise<void> | undefined;
  let asked = 0;
  const { follower, watermark } = following(t, log, {
    open: async () => {
      asked++;
      await gate;
      return log.open();
    },
  });
  await follower.start();
  await settle(log, watermark);
  gate = opening.promise;
  [...log.sessions][0]!.kill();
  await until('it opens another one', () => asked === 2);
  const stopped = follower.stop();
  opening.resolve();
  await stopped;
  assert.equal(log.sessions.size, 0, 'and its session is closed');
});

test('[SPEC 5] while the server does not say that it streams, nothing is answered from the views, and stop is not held up', async (t) => {
  const log = logWith(1);
  const { follower, watermark, view } = following(t, log, {
    open: async () => {
      const session = log.open();
      session.stream = () => new Promise(() => {});
      return session;
    },
  });
  await follower.start();
  await until('the stream is asked for', () => watermark.position.lsn > 0);
  log.commit([{ id: 1, value: 9 }]);
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  assert.equal(view.state, 'building');
  assert.equal(follower.status().ready, false);
  assert.equal(view.readNow([ALL]), undefined);
  assert.deepEqual((await view.read([ALL])).results[0], ['1=9'], 'the record answers');
  await follower.stop();
  assert.equal(log.sessions.size, 0);
});

test('[SPEC 2] [SPEC 3] what comes with the beginning of the stream is applied once, before the views are served', async (t) => {
  const log = logWith(1);
  const { follower, watermark, view } = following(t, log, {
    open: async () => {
      const session = log.open();
      const stream = session.stream.bind(session);
      session.stream = async (from, handler) => {
        log.commit([{ id: 2, value: 2 }]);
        await stream(from, handler);
        while (session.step());
      };
      return session;
    },
  });
  await follower.start();
  await until('the views are served', () => view.state === 'live');
  assert.equal(watermark.position.lsn, log.lsn);
  assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
  log.commit([{ id: 2, value: 3 }]);
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
});

test('[SPEC 5] [rule 11] what the first snapshot holds and SQL does not show yet is not claimed by an answer from the record', async (t) => {
  const log = logWith(1);
  const { xid } = log.commit([{ id: 2, value: 2 }]);
  const open = xid + 1; // begun after the snapshot: the stream will tell
  const { follower, watermark } = following(t, log, { openTransactions: async () => [xid, open] });
  await follower.start();
  await settle(log, watermark);
  assert.equal(watermark.visibleIn(`${xid}:${open + 1}:${xid},${open}`, watermark.mark()), false);
  assert.equal(watermark.visibleIn(`${open}:${open + 1}:${open}`, watermark.mark()), true);
});

test('[SPEC 6] [rule 12] the main stream lost while the one aside is only starting fails the rebuild, not the process', async (t) => {
  const log = logWith(1, 2, 3, 4, 5, 6, 7);
  const starting = Promise.withResolvers<void>();
  let aside: FakeSession | undefined;
  const { follower, view, watermark } = following(t, log, {
    open: async (purpose) => {
      const session = log.open();
      if (purpose === 'aside') {
        aside = session;
        session.stream = () => starting.promise;
      }
      return session;
    },
  });
  await follower.start();
  await settle(log, watermark);
  const [main] = log.sessions;
  const rebuilding = follower.rebuild(view);
  rebuilding.catch(() => {});
  await until('the session aside', () => aside !== undefined);
  log.commit([{ id: 1, value: 9 }]); // the main stream is ahead of the snapshot, so the one aside is needed
  main!.step();
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  main!.kill();
  for (let turns = 0; turns < 3; turns++) await nextTurn(); // a rejection that nobody handles ends the process here
  starting.resolve();
  await assert.rejects(rebuilding, /killed by the test/);
  await until('the view is live', () => view.state === 'live');
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
});

test('a view that a lost stream has had built anew is not broken by the repair that was under way', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const log = logWith(1);
  const repair = Promise.withResolvers<FakeSession>();
  let repairing = false;
  const { follower, watermark, view } = following(t, log, {
    open: async (purpose) => {
      if (purpose === 'main') return log.open();
      repairing = true;
      return repair.promise;
    },
  });
  await follower.start();
  await settle(log, watermark);
  (view.generation!.state as unknown as FakeState).rows.set(7, 7); // so that the insert below fails
  log.commit([{ id: 7, value: 1 }]);
  await settle(log, watermark);
  t.mock.timers.tick(15_000);
  await until('the repair', () => repairing);
  assert.equal(follower.status().views[0]!.state, 'broken');
  [...log.sessions][0]!.kill();
  await until('the view is live', () => view.state === 'live');
  repair.reject(new Error('the repair lost its connection too'));
  for (let turns = 0; turns < 5; turns++) await nextTurn();
  assert.deepEqual(view.readNow([ALL])?.results[0], ['1=1', '7=1']);
});
