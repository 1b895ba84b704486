import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  CachedWorld,
  type Fault,
  WORLD_KEYS,
  type WorldStep,
  worldOptions,
  worldStep,
} from '../../../testing/cached-world.ts';
import { scriptClient } from '../../../testing/script-bucket.ts';
import { startValkey, type TestValkey } from '../../../testing/valkey.ts';

let server: TestValkey;
let client: Awaited<ReturnType<typeof scriptClient>>;
before(async () => {
  server = await startValkey();
  client = await scriptClient(server.url);
});
after(async () => {
  client.destroy();
  await server.stop();
});

const totals = { taken: 0, refused: 0, belowFloor: 0, held: 0 };

/** Two nodes and more read, offer and keep rows of one bucket while commits come, show and are applied. */
function property(fault?: Fault) {
  const steps = fc.array(worldStep, { maxLength: 120, size: 'max' });
  return fc.asyncProperty(worldOptions, steps, async (options, taken) => {
    const world = new CachedWorld({ ...options, ...fault?.options, client, ...(fault && { fault }) });
    for (const step of taken) await world.take(step);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += world.counts[name];
  });
}

test('[SPEC 3] [rule 11] what buckets hold is the row at their position, however readings of several nodes, commits and the log interleave', async () => {
  await fc.assert(property(), { numRuns: 600 });
  for (const [what, times] of Object.entries(totals)) assert.ok(times > 100, `${what}: ${times}`);
});

const FAULTS: readonly Fault[] = [
  { name: 'off', replace: 'return not xid or is_visible(tonumber(xid), snapshot)', by: 'return true' },
  { name: 'by position in the log', byPosition: true },
  {
    name: 'without a floor',
    replace: 'if not is_before(tonumber(floor), snapshot.xmin) then return false end',
    by: '',
  },
  {
    name: 'with a floor that does not rise',
    replace: 'if not floor or is_before(tonumber(floor), xid) then',
    by: 'if not floor then',
  },
  {
    name: 'without what came before the bucket',
    replace: 'if not founded then return nil end',
    by: 'if not floor then return true end',
    options: { founded: false },
  },
  {
    name: 'satisfied with what an earlier reading saw',
    replace: "  redis.call('HDEL', key('lease'), 'passed')\n",
    by: '',
  },
];

for (const fault of FAULTS) {
  test(`[rule 11] the same finds the fault of a lease that is ${fault.name}`, async () => {
    assert.ok((await fc.check(property(fault), { numRuns: 6000, endOnFailure: true })).failed);
  });
}

test('[rule 11] a row that was read with an asynchronous commit in it does not go back when the log brings that one', async () => {
  const key = 0;
  const write = { kind: 'commit', writes: [{ key, value: true }], truncate: false, which: 0 } as const;
  const seen = [
    { kind: 'show', which: 0 },
    { kind: 'show', which: 0 },
  ] as const;
  const fill = [
    { kind: 'ask', keys: [WORLD_KEYS[key]!] },
    { kind: 'read', which: 0 },
    { kind: 'arrive', which: 0 },
  ] as const;
  const lasting = {
    maxBytes: 100_000 as const,
    ttlMs: Number.POSITIVE_INFINITY,
    absentTtlMs: Number.POSITIVE_INFINITY,
  };
  const options = { ...lasting, asynchronous: true, founded: true, maxTouched: 4096 as const, firstXid: 100 };
  const steps = [{ kind: 'apply' }, write, { kind: 'apply' }, write, write, ...seen, ...seen, ...fill] as const;
  const run = async (fault?: Fault) => {
    const world = new CachedWorld({ ...options, client, ...(fault && { fault }) });
    for (const step of [...steps, { kind: 'apply' }, { kind: 'apply' }] as const) await world.take(step as WorldStep);
    assert.equal(world.counts.taken, 1);
  };
  await run();
  const replace = 'if not last or tonumber(last) <= position() then return false end';
  await assert.rejects(run({ name: 'blind', replace, by: 'if true then return false end' }), /went back/);
});
