import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PgRecord } from '../record/record.ts';
import { silentLog, testDatabase } from '../testing/database.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { Scheduler, type Task } from './scheduler.ts';
import { nextDue, timingText } from './timing.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const MINUTE = 60_000;

interface Setup {
  readonly record: PgRecord;
  readonly clock: ManualClock;
  readonly runs: string[];
  /** A node; stopped with the test. */
  node(task: Omit<Task, 'name'>): Scheduler;
}

async function setup(t: TestContext): Promise<Setup> {
  const { record } = await testDatabase(t);
  const clock = new ManualClock({ now: NOON });
  const runs: string[] = [];
  const node = (task: Omit<Task, 'name'>) => {
    const scheduler = new Scheduler({ record, clock, log: silentLog, tasks: [{ name: 'test/task', ...task }] });
    t.after(() => scheduler.stop());
    scheduler.start();
    return scheduler;
  };
  return { record, clock, runs, node };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Moves the clock on as soon as `waiting` nodes wait for it. */
async function pass(clock: ManualClock, ms: number, waiting = 1): Promise<void> {
  await until(() => clock.waits.length === waiting);
  clock.advance(ms);
}

test('runs so long after its last run ended', async (t) => {
  const { clock, runs, node } = await setup(t);
  node({
    timing: { everyMs: 5000 },
    run: async () => {
      runs.push(new Date(clock.now()).toISOString());
      clock.advance(1000);
    },
  });
  await pass(clock, 4999);
  await pass(clock, 1);
  await until(() => runs.length === 1);
  await pass(clock, 5000);
  await until(() => runs.length === 2);
  assert.deepEqual(runs, ['2026-11-21T12:00:05.000Z', '2026-11-21T12:00:11.000Z']);
});

test('runs daily at its time; one that was missed runs at the next start', async (t) => {
  const { clock, runs, node } = await setup(t);
  const task = { timing: { dailyAt: '12:30' }, run: async () => void runs.push(new Date(clock.now()).toISOString()) };
  const first = node(task);
  for (let minutes = 0; minutes < 30; minutes++) await pass(clock, MINUTE);
  await until(() => runs.length === 1);
  await until(() => clock.waits.length === 1);
  await first.stop();
  clock.advance(30 * 60 * MINUTE);
  node(task);
  await until(() => runs.length === 2);
  assert.deepEqual(runs, ['2026-11-21T12:30:00.000Z', '2026-11-22T18:30:00.000Z']);
});

test('of several nodes one runs it, and never two at once', async (t) => {
  const { clock, runs, node } = await setup(t);
  let running = 0;
  const release: (() => void)[] = [];
  const run = async () => {
    assert.equal(++running, 1);
    runs.push('run');
    await new Promise<void>((resolve) => release.push(resolve));
    running--;
  };
  for (let i = 0; i < 3; i++) node({ timing: { everyMs: 1000 }, run });
  for (let round = 1; round <= 3; round++) {
    await pass(clock, 1000, 3);
    await until(() => runs.length === round);
    for (let looks = 0; looks < 3; looks++) await pass(clock, 1000, 2); // the others look, and leave it alone
    await until(() => clock.waits.length === 2);
    assert.equal(runs.length, round);
    release.shift()!();
  }
});

test('a failed run is told in the record and tried again', async (t) => {
  const { record, clock, runs, node } = await setup(t);
  node({
    timing: { dailyAt: '12:01' },
    run: async () => {
      runs.push('run');
      if (runs.length === 1) throw new Error('not today');
    },
  });
  await pass(clock, MINUTE);
  await until(() => runs.length === 1 && clock.waits.length === 1);
  const [failed] = await record.query('select error from lockstep.schedules');
  assert.equal(failed!.error, 'not today');
  await pass(clock, MINUTE);
  await until(() => runs.length === 2 && clock.waits.length === 1);
  const [row] = await record.query<{ error: null; due: number }>('select error, due from lockstep.schedules');
  assert.deepEqual(row, { error: null, due: Date.parse('2026-11-22T12:01:00Z') * 1000 });
});

test('stop waits for the run in progress, which is told', async (t) => {
  const { clock, node } = await setup(t);
  let ended = false;
  const started = Promise.withResolvers<void>();
  const scheduler = node({
    timing: { everyMs: 1000 },
    run: async (signal) => {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      ended = true;
    },
  });
  await pass(clock, 1000);
  await started.promise;
  await scheduler.stop();
  assert.ok(ended);
});

test('timings', () => {
  assert.equal(nextDue({ dailyAt: '12:00' }, NOON), NOON + 1440 * MINUTE);
  assert.equal(nextDue({ dailyAt: '11:59' }, NOON), NOON + 1439 * MINUTE);
  assert.equal(nextDue({ dailyAt: '12:01' }, NOON), NOON + MINUTE);
  for (const timing of [{ dailyAt: '24:00' }, { dailyAt: '1:00' }, { everyMs: 0 }, { everyMs: Number.NaN }]) {
    assert.throws(() => timingText(timing), RangeError);
  }
});
