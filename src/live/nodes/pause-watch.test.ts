import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauseWatch } from './pause-watch.ts';

function watch() {
  const time = { now: 0, suspended: 0 };
  const asked: number[] = [];
  const pauses = new PauseWatch({
    pauseMs: 1000,
    ask: (mark) => void asked.push(mark),
    clock: () => time.now,
    wallClock: () => time.now + time.suspended,
  });
  pauses.start();
  pauses.stop(); // the test's own clock looks
  return { time, asked, pauses };
}

test('[SPEC 5] a process that was stopped is not awake before it has looked, nor before it hears its own mark', () => {
  const { time, asked, pauses } = watch();
  assert.ok(pauses.awake);
  time.now = 60_000;
  assert.ok(!pauses.awake, 'what comes first after the pause is read before any timer');
  pauses.look();
  assert.ok(!pauses.awake, 'what was sent meanwhile is still to be heard');
  assert.deepEqual(asked, [1]);
  pauses.heard(1);
  assert.ok(pauses.awake);
});

test('a mark that is lost is sent again; one of a pause before says nothing', () => {
  const { time, asked, pauses } = watch();
  time.now = 5000;
  pauses.look();
  time.now = 5200;
  pauses.look();
  assert.deepEqual(asked, [1, 1]);
  time.now = 9000;
  pauses.look();
  pauses.heard(1);
  assert.ok(!pauses.awake);
  pauses.heard(2);
  assert.ok(pauses.awake);
  time.now = 9900;
  pauses.look();
  assert.deepEqual(asked, [1, 1, 2], 'awake, it is silent');
});

test('[SPEC 5] a suspended machine, whose own clock stands still, is not awake either; a clock that is set back is no pause', () => {
  const { time, asked, pauses } = watch();
  time.suspended = 60_000;
  assert.ok(!pauses.awake);
  pauses.look();
  pauses.heard(1);
  assert.ok(pauses.awake);
  time.suspended = 0;
  pauses.look();
  assert.ok(pauses.awake);
  time.now = 5000;
  assert.ok(!pauses.awake);
  assert.deepEqual(asked, [1]);
});
