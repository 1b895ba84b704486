import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import pino from 'pino';
import { parsePosition } from '../changes/position.ts';
import { FakeLog, type FakeWrite } from '../testing/fake-feed.ts';
import { ALL, expected, following, pumpUntil, settle, until } from '../testing/fake-follower.ts';
import type { FakeState } from '../testing/fake-view.ts';
import type { VerifyReport } from './live.ts';

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
const EXCUSES = /killed by the test|is being built|being rebuilt or verified|was rebuilt meanwhile|the stream ended/;
type Action = { type: string; writes?: FakeWrite[]; large?: boolean; session?: number; times?: number };

test('[SPEC 2] [SPEC 3] [SPEC 6] [rule 4] [rule 12] any mix of commits, deliveries, rebuilds, verifications and losses: the view equals the record', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(action as fc.Arbitrary<Action>, { maxLength: 100 }), async (actions) => {
      const log = new FakeLog();
      log.commit([
        { id: 1, value: 1 },
        { id: 2, value: 2 },
      ]);
      const { follower, watermark, view } = following(t, log);
      await follower.start();
      await settle(log, watermark);
      const running: Promise<unknown>[] = [];
      for (const { type, writes, large, session, times } of actions) {
        const sessions = [...log.sessions];
        if (type === 'commit') log.commit(writes!, large);
        else if (type === 'turn') for (let i = 0; i < 6; i++) await nextTurn();
        else if (type === 'kill') sessions[0]?.kill();
        else if (type === 'step') for (let i = 0; i < times!; i++) sessions[session! % sessions.length]?.step();
        else {
          const work = view[type as 'rebuild' | 'verify']().then(
            (report) => report && assert.deepEqual(report.examples, []),
            // Only another one, or the loss of the main stream, excuses it.
            (error: Error) => assert.match(error.message, EXCUSES),
          );
          work.catch(() => {}); // told below, where the property fails of it
          running.push(work);
        }
        const seen = view.readNow([ALL]);
        if (seen && seen.position.lsn === log.lsn) assert.deepEqual(seen.results[0], expected(log));
      }
      await pumpUntil(log, Promise.all(running));
      await until('the view is built', () => view.state !== 'building');
      await settle(log, watermark);
      assert.equal(view.state, 'live', view.status().fault ?? '');
      assert.deepEqual(view.readNow([ALL])!.results[0], expected(log));
      await follower.stop();
    }),
    { numRuns: 400 },
  );
});

test('[SPEC 7] verify finds planted drift while the view is in use', async (t) => {
  const log = new FakeLog();
  log.commit([1, 2, 3, 4, 5].map((id) => ({ id, value: id })));
  const { follower, watermark, view } = following(t, log);
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
});

test('[SPEC 7] [rule 13] verify stops nothing: between its blocks the view is read, and takes what is committed', async (t) => {
  const rows = 40;
  const log = new FakeLog();
  log.commit(Array.from({ length: rows }, (_, id) => ({ id, value: 0 })));
  const { follower, watermark, view } = following(t, log);
  await follower.start();
  await settle(log, watermark);
  let report: VerifyReport | undefined;
  const verifying = view.verify().then((found) => {
    report = found;
  });
  for (let i = 0; !report; i++) {
    log.commit([{ id: i % rows, value: i }]);
    for (const session of log.sessions) while (session.step());
    assert.deepEqual(view.readNow([ALL])?.results[0], expected(log));
    await nextTurn();
  }
  await verifying;
  assert.deepEqual([report.compared, report.drift], [rows, 0]);
  const during = (watermark.position.lsn - parsePosition(report.position)!.lsn) / 10;
  assert.ok(during >= rows - 1, `${during} commits while ${rows} blocks were compared`);
});

test('[SPEC 5] [rule 4] a view is not read in the middle of a large transaction', async (t) => {
  const log = new FakeLog();
  const { follower, watermark, view } = following(t, log);
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
});

test('[SPEC 2] [SPEC 5] [rule 10] what comes after a large transaction waits until that is merged, and so do reads', async (t) => {
  const log = new FakeLog();
  const { follower, watermark, view } = following(t, log);
  await follower.start();
  await settle(log, watermark);
  const state = view.generation!.state as unknown as FakeState;
  const merge = state.merge.bind(state);
  let released = false;
  state.merge = function* () {
    while (!released) yield;
    yield* merge()!;
  };
  const before = watermark.position.lsn;
  log.commit([{ id: 1, value: 1 }], true);
  log.commit([{ id: 1, value: 2 }]);
  const [session] = log.sessions;
  while (session!.step());
  view.tend(0);
  for (let i = 0; i < 3; i++) {
    await nextTurn();
    assert.equal(session!.step(), false);
    assert.equal(watermark.position.lsn, before);
    assert.equal(view.readNow([ALL]), undefined);
  }
  released = true;
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=2']);
});

test('[SPEC 7] verify ends when the stream does in the middle of a large transaction', async (t) => {
  const log = new FakeLog();
  log.commit([1, 2, 3].map((id) => ({ id, value: id })));
  const { follower, watermark, view } = following(t, log);
  await follower.start();
  await settle(log, watermark);
  const old = view.generation!;
  const verifying = assert.rejects(follower.verify(view), /the stream ended|was rebuilt meanwhile/);
  await until(
    'it compares',
    () => log.sessions.size === 1 && old.lsn === watermark.position.lsn,
    () => {
      for (const session of log.sessions) {
        session.poke();
        session.step();
      }
    },
  );
  log.commit(
    [4, 5, 6].map((id) => ({ id, value: id })),
    true,
  );
  const [session] = log.sessions;
  session!.step();
  session!.step();
  session!.kill();
  await verifying;
});

test('a view whose apply fails is broken, says so, and is built again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const log = new FakeLog();
  const { follower, watermark, view } = following(t, log);
  await follower.start();
  await settle(log, watermark);
  (view.generation!.state as unknown as FakeState).rows.set(7, 7); // so that the insert below fails
  log.commit([{ id: 7, value: 1 }]);
  await settle(log, watermark);
  assert.equal(view.state, 'broken');
  assert.equal(follower.status().ready, false);
  assert.equal(view.readNow([ALL]), undefined);
  t.mock.timers.tick(15_000);
  await until('the view answers', () => view.readNow([ALL]) !== undefined);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['7=1']);
});

test('[SPEC 5] a view that cannot hold a row is broken and names it, in the log too; it heals without a rebuild', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const log = new FakeLog();
  const told: string[] = [];
  const write = (line: string) => void told.push(JSON.parse(line).msg);
  const { follower, watermark, view } = following(t, log, { log: pino({}, { write }) });
  await follower.start();
  await settle(log, watermark);
  const state = view.generation!.state as unknown as FakeState;
  told.length = 0;
  state.unheld = 'it cannot hold the row 7';
  assert.deepEqual([view.state, view.status().fault], ['broken', state.unheld]);
  assert.equal(follower.status().ready, false);
  t.mock.timers.tick(16_000);
  assert.equal(view.generation!.state as unknown, state, 'a rebuild would find the same row');
  state.unheld = undefined;
  assert.deepEqual([view.state, view.status().fault, follower.status().ready], ['live', null, true]);
  t.mock.timers.tick(16_000);
  assert.deepEqual(told, [
    'the view is broken; its reads are answered from the record',
    'the view holds all rows again',
  ]);
});
