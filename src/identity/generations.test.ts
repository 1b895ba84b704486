import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PgRecord } from '../record/record.ts';
import { Generations } from './generations.ts';

/** On a record that answers when the test says. */
function generations() {
  const asked: PromiseWithResolvers<{ id: string; generation: number }[]>[] = [];
  const query = () => {
    asked.push(Promise.withResolvers());
    return asked.at(-1)!.promise;
  };
  const record = { query } as unknown as PgRecord;
  return { asked, ended: new Generations({ record, tokenSeconds: 3600, clock: () => 0 }) };
}

test('[SPEC 9] tokens that are ended while the record is read stay ended, also where it is read again meanwhile', async () => {
  const { asked, ended } = generations();
  const first = ended.refresh();
  await turn();
  ended.raise('ann', 1);
  const second = ended.refresh();
  await turn();
  asked[0]!.resolve([]); // as it was before
  await first;
  assert.equal(ended.isAlive('ann', 0), false);
  assert.equal(ended.isAlive('ann', 1), true);
  await turn();
  asked[1]!.resolve([{ id: 'ann', generation: 1 }]);
  await second;
  assert.equal(ended.isAlive('ann', 0), false);
});

test('a reading of the record that failed does not hold up the next', async () => {
  const { asked, ended } = generations();
  const first = ended.refresh();
  const second = ended.refresh();
  await turn();
  asked[0]!.reject(new Error('away'));
  await assert.rejects(first, { message: 'away' });
  await turn();
  asked[1]!.resolve([{ id: 'bob', generation: 2 }]);
  await second;
  assert.equal(ended.isAlive('bob', 1), false);
});
