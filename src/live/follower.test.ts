import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import pino from 'pino';
import type { PgRecord } from '../record/record.ts';
import { FakeLog, type FakeWrite } from '../testing/fake-feed.ts';
import { type AllRows, type FakeState, fakeView } from '../testing/fake-view.ts';
import { Follower } from './follower.ts';
import { ServedView } from './served-view.ts';
import { TopicHub } from './topic-hub.ts';
import { Watermark } from './watermark.ts';

const ALL: AllRows = { ask: 'all' };

/** A follower of a fake log with one view; nothing is delivered before `step`. */
function following(log: FakeLog, open = async () => log.open()) {
  const watermark: Watermark = new Watermark({ flushedLsn: async () => log.lsn, poke: () => follower.poke() });
  const topics = new TopicHub({ position: () => watermark.position });
  const view = new ServedView({
    service: 'test',
    name: 'rows',
    definition: fakeView(),
    record: null as unknown as PgRecord,
    watermark,
    waitMs: 1000,
    recordEnd: () => follower.recordEnd,
    rebuild: (served, progress) => follower.rebuild(served, progress),
    verify: (served, progress) => follower.verify(served, progress),
  });
  const follower: Follower = new Follower({
    views: [view],
    watermark,
    topics,
    log: pino({ level: 'silent' }),
    open,
    lacking: () => null,
    checkSchema: async () => {},
    currentSnapshot: async () => '1000000:1000000:',
    truncated: () => {},
    flushedLsn: async () => log.lsn,
    clock: () => 0,
  });
  return { follower, watermark, topics, view };
}

/** Delivers until nothing is left and the view has everything. */
async function settle(log: FakeLog, watermark: Watermark): Promise<void> {
  while (watermark.position.lsn < log.lsn) {
    for (const session of log.sessions) {
      session.poke();
      while (session.step());
    }
    await nextTurn();
  }
}

const expected = (log: FakeLog) => [...log.rows].sort(([a], [b]) => a - b).map(([id, value]) => `${id}=${value}`);

const write: fc.Arbitrary<FakeWrite> = fc.record({
  id: fc.nat(6),
  value: fc.option(fc.nat(9), { freq: 3 }),
});
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('commit'),
      writes: fc.array(write, { maxLength: 6 }),
      large: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('step'), session: fc.nat(3), times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('turn') }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('rebuild', 'rebuild', 'verify', 'kill') }) },
);
type Action = { type: string; writes?: FakeWrite[]; large?: boolean; session?: number; times?: number };

test('[SPEC 2] [SPEC 3] [SPEC 6] any mix of commits, deliveries, rebuilds, verifications and losses: the view equals the record', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action as fc.Arbitrary<Action>, { maxLength: 100 }), async (actions) => {
      const log = new FakeLog();
      log.commit([
        { id: 1, value: 1 },
        { id: 2, value: 2 },
      ]);
      const { follower, watermark, view } = following(log);
      await follower.start();
      await settle(log, watermark);
      const running: Promise<unknown>[] = [];
      for (const { type, writes, large, session, times } of actions) {
        const sessions = [...log.sessions];
        if (type === 'commit') log.commit(writes!, large);
        else if (type === 'turn') for (let i = 0; i < 6; i++) await nextTurn();
        else if (type === 'kill') sessions[0]?.kill();
        else if (type === 'step') for (let i = 0; i < times!; i++) sessions[session! % sessions.length]?.step();
        else
          running.push(
            follower[type as 'rebuild' | 'verify'](view).then(
              (report) => report && assert.deepEqual(report.examples, []),
              // Only the loss of the main stream excuses a rebuild.
              (error: Error) =>
                assert.match(error.message, /killed by the test|is being built|was rebuilt meanwhile|the stream ended/),
            ),
          );
        const seen = view.readNow([ALL]);
        if (seen && seen.position.lsn === log.lsn) assert.deepEqual(seen.results[0], expected(log));
      }
      await pumpUntil(log, Promise.all(running));
      await settle(log, watermark);
      assert.equal(view.state, 'live', view.status().fault ?? '');
      assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
      await follower.stop();
    }),
    { numRuns: 400 },
  );
});

/** Keeps delivering until `work` is done. */
async function pumpUntil(log: FakeLog, work: Promise<unknown>): Promise<void> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  while (!done) {
    for (const session of log.sessions) {
      session.poke();
      session.step();
    }
    await nextTurn();
  }
  await ended;
}

test('[SPEC 7] verify finds planted drift while the view is in use', async () => {
  const log = new FakeLog();
  log.commit([1, 2, 3, 4, 5].map((id) => ({ id, value: id })));
  const { follower, watermark, view } = following(log);
  await follower.start();
  await settle(log, watermark);
  await pumpUntil(
    log,
    follower.verify(view).then((report) => assert.equal(report.drift, 0)),
  );
  (view.generation!.state as unknown as FakeState).rows.set(3, 99);
  await pumpUntil(
    log,
    follower.verify(view).then((report) => {
      assert.equal(report.drift, 1);
      assert.deepEqual(report.examples, [{ what: 'row 3', inView: '99', inRecord: '3' }]);
    }),
  );
  await follower.rebuild(view);
  await pumpUntil(
    log,
    follower.verify(view).then((report) => assert.equal(report.drift, 0)),
  );
  await follower.stop();
});

test('[SPEC 5] [rule 4] a view is not read in the middle of a large transaction', async () => {
  const log = new FakeLog();
  const { follower, watermark, view } = following(log);
  await follower.start();
  await settle(log, watermark);
  log.commit(
    [1, 2, 3, 4].map((id) => ({ id, value: id })),
    true,
  );
  const [session] = log.sessions;
  session!.step();
  session!.step();
  assert.equal(view.state, 'catching up');
  assert.equal(view.readNow([ALL]), undefined);
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=1', '2=2', '3=3', '4=4']);
  await follower.stop();
});

test('a view whose apply fails is broken, says so, and is built again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const log = new FakeLog();
  const { follower, watermark, view } = following(log);
  await follower.start();
  await settle(log, watermark);
  (view.generation!.state as unknown as FakeState).rows.set(7, 7); // so that the insert below fails
  log.commit([{ id: 7, value: 1 }]);
  await settle(log, watermark);
  assert.equal(view.state, 'broken');
  assert.equal(follower.status().ready, false);
  assert.equal(view.readNow([ALL]), undefined);
  t.mock.timers.tick(15_000);
  while (!view.readNow([ALL])) await nextTurn();
  assert.deepEqual(view.readNow([ALL])!.results[0], ['7=1']);
  await follower.stop();
});

test('a stop while the feed is opened anew ends it', async () => {
  const log = new FakeLog();
  const opening = [Promise.resolve(), Promise.withResolvers<void>()] as const;
  let opened = 0;
  const { follower } = following(log, async () => {
    const turn = opening[opened++];
    await (turn && 'promise' in turn ? turn.promise : turn);
    return log.open();
  });
  await follower.start();
  while (!follower.status().following) await nextTurn();
  for (const session of log.sessions) session.kill();
  while (opened < 2) await nextTurn();
  const stopped = follower.stop();
  opening[1].resolve();
  await stopped;
  assert.equal(log.sessions.size, 0);
});
