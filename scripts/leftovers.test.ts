import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { killAll, processesMarked, RUN_MARK } from './leftovers.ts';

test('a process that a test left behind is found by its mark, named and ended', async (t) => {
  const mark = `leftovers-${process.pid}`;
  const child = spawn('sleep', ['60'], { env: { [RUN_MARK]: mark, PATH: process.env.PATH } });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const found = processesMarked(mark);
  assert.deepEqual(found, [{ pid: child.pid, command: 'sleep 60' }]);
  assert.deepEqual(processesMarked('another-run'), []);
  killAll(found);
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  assert.deepEqual(processesMarked(mark), []);
});
