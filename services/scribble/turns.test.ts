import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('[SPEC 8] one after another, in the order of their coming; more than may wait are refused', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2 });
  const order: string[] = [];
  let running = 0;
  const work = (name: string) => async () => {
    assert.equal(++running, 1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    order.push(name);
    if (name === 'b') throw new Error('b failed');
    return name;
  };
  const all = [turns.take(work('a')), turns.take(work('b')), turns.take(work('c'))];
  await assert.rejects(turns.take(work('d')), { status: 503 });
  const settled = await Promise.allSettled(all);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(order, ['a', 'b', 'c']);
  assert.equal(await turns.take(work('e')), 'e');
});
