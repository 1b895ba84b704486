import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dot, Strokes } from './strokes.ts';

test('frames are as small and as far apart as the server takes them', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  // One by one: timers that timers start are from then on.
  const wait = (ms: number) => {
    for (let passed = 0; passed < ms; passed++) t.mock.timers.tick(1);
  };
  const sizes: number[] = [];
  const strokes = new Strokes({ send: (frame) => sizes.push((frame.length - 8) / 4) > 0 });
  const dots = Array.from({ length: 130 }, (_, cell): Dot => [cell, 1]);
  strokes.add(dots);
  wait(100);
  assert.deepEqual(sizes.splice(0), [60, 60, 10], 'where the server says nothing');
  strokes.pace({ pointsAtOnce: 8000, cooldownMs: 0 });
  strokes.add(dots);
  wait(100);
  assert.deepEqual(sizes.splice(0), [60, 60, 10]);
  strokes.pace({ pointsAtOnce: 1, cooldownMs: 5000 });
  strokes.add(dots.slice(0, 3));
  wait(5000);
  assert.deepEqual(sizes, [1]);
  wait(10_000);
  assert.deepEqual(sizes, [1, 1, 1]);
});
