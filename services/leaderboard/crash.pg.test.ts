import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashTest } from '../../src/testing/crash.ts';
import { testStoreEnv } from '../../src/testing/store.ts';

const seed = Number(process.env.LOCKSTEP_CRASH_SEED ?? 20261120);

test(`[SPEC 1] [SPEC 3] SIGKILL of Lockstep and PostgreSQL under load loses nothing (seed ${seed})`, async () => {
  const report = await crashTest({ kills: 8, seed, env: await testStoreEnv() });
  assert.ok(report.acknowledged > 100, `only ${report.acknowledged} scores were acknowledged`);
  assert.deepEqual(report.lost, []);
  assert.deepEqual(report.twice, []);
  assert.equal(report.drift, 0);
});
