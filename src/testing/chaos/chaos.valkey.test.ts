import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaosTest } from './chaos.ts';

const seed = Number(process.env.LOCKSTEP_CHAOS_SEED ?? 20261242);
const seconds = Number(process.env.LOCKSTEP_CHAOS_SECONDS ?? 20);

test(`[SPEC 1] [SPEC 3] [SPEC 4] [SPEC 6] three nodes, a fault every few seconds, and nothing is wrong (seed ${seed})`, {
  timeout: (seconds + 400) * 1000,
}, async () => {
  const report = await chaosTest({
    seed,
    seconds,
    report: (line) => process.env.LOCKSTEP_CHAOS_TELL && console.log(line),
  });
  if (process.env.LOCKSTEP_CHAOS_TELL) console.log(report);
  assert.deepEqual(report.faults, []);
  assert.equal(report.drift, 0);
  for (const [load, acknowledged] of Object.entries(report.acknowledged)) {
    assert.ok(acknowledged > 0, `${load}: nothing was acknowledged`);
  }
});
