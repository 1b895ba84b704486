import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeat } from './repeat.ts';

test('a job is repeated, never twice at once, also after a failure, and is waited for at the end', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const finish: ((error?: Error) => void)[] = [];
  const errors: unknown[] = [];
  const job = () =>
    new Promise<void>((resolve, reject) => {
      finish.push((error) => (error ? reject(error) : resolve()));
    });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const stop = repeat(10, job, (error) => errors.push(error));
  t.mock.timers.tick(9_999);
  assert.equal(finish.length, 0);
  t.mock.timers.tick(30_000);
  assert.equal(finish.length, 1);
  const failure = new Error('failed');
  finish[0]!(failure);
  await turn();
  assert.deepEqual(errors, [failure]);
  t.mock.timers.tick(10_000);
  assert.equal(finish.length, 2);
  let stopped = false;
  const stopping = stop().then(() => {
    stopped = true;
  });
  await turn();
  assert.equal(stopped, false);
  finish[1]!();
  await stopping;
  t.mock.timers.tick(100_000);
  assert.equal(finish.length, 2);
});
