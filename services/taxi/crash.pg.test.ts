import { test } from 'node:test';
import { testStoreEnv } from '../../src/testing/store.ts';
import { taxiCrashTest } from '../../src/testing/taxi-crash.ts';

/** Short unless told: `LOCKSTEP_TAXI_TRIPS=10000 node --test services/taxi/crash.pg.test.ts` */
const trips = Number(process.env.LOCKSTEP_TAXI_TRIPS ?? 600);
const kills = Number(process.env.LOCKSTEP_TAXI_KILLS ?? Math.max(6, trips / 200));
const seed = Number(process.env.LOCKSTEP_CRASH_SEED ?? 20261121);

test(`[SPEC 3] ${trips} trips while Lockstep, its follower and PostgreSQL are killed: each once, to the cent (seed ${seed})`, async (t) => {
  await taxiCrashTest({ trips, kills, seed, env: await testStoreEnv(), report: (line) => t.diagnostic(line) });
});
