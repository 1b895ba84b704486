import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import Fastify from 'fastify';
import { nowMicros } from '../../record/time.ts';
import { BOUNDS, RequestHistogram } from '../request-histogram.ts';
import { TestLive } from '../testing/live.ts';
import { History } from './history.ts';
import { Meter, STEP_MS } from './meter.ts';
import { BUCKETS, count, quantile } from './quantile.ts';
import { RouteLoads } from './route-loads.ts';

test('[SPEC 8] the history holds the last of what was pushed, in order, and no more', () => {
  fastCheck.assert(
    fastCheck.property(
      fastCheck.integer({ min: 1, max: 20 }),
      fastCheck.array(fastCheck.option(fastCheck.double({ noNaN: true }), { nil: null }), { maxLength: 60 }),
      fastCheck.integer({ min: 0, max: 30 }),
      (length, values, wanted) => {
        const history = new History({ names: ['a'], length });
        values.forEach((value, at) => {
          history.push(at, { a: value ?? Number.NaN });
        });
        const size = Math.min(length, values.length, wanted);
        const { times, series } = history.read(wanted);
        assert.deepEqual(series.a, values.slice(values.length - size));
        assert.deepEqual(times, [...values.keys()].slice(values.length - size));
      },
    ),
  );
});

test('a quantile lies in the bucket where the sorted durations have it', () => {
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(fastCheck.double({ min: 0, max: 9, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fastCheck.double({ min: 0.01, max: 1, noNaN: true }),
      (durations, q) => {
        const counts = new Float64Array(BUCKETS);
        for (const seconds of durations) count(counts, seconds);
        const exact = durations.toSorted((a, b) => a - b)[Math.ceil(q * durations.length - 1e-9) - 1]!;
        const high = BOUNDS.find((bound) => exact <= bound)!;
        const low = BOUNDS[BOUNDS.indexOf(high) - 1] ?? 0;
        const found = quantile(counts, q);
        assert.ok(found >= low - 1e-9 && found <= high + 1e-9, `${found} is not in ${low}..${high}`);
      },
    ),
  );
  assert.ok(Number.isNaN(quantile(new Float64Array(BUCKETS), 0.5)));
});

test('a step measures what came since the one before, as rates', () => {
  const requests = new RequestHistogram();
  const live = new TestLive();
  const totals = { transactions: 7, changes: 9 };
  const connections = { sent: 0 };
  let now = 1_000_000_000_000;
  const status = () => ({ ...live.status(), ...totals });
  const meter = new Meter({ status, requests, connections, topics: { subscribers: 3 } }, () => now);
  totals.transactions += 50;
  totals.changes += 100;
  connections.sent = 25;
  meter.transaction({ xid: 1, lsn: 5, committedAt: nowMicros() - 2000, changes: [] });
  now += STEP_MS;
  meter.step();
  now += STEP_MS;
  meter.step();
  const { times, series } = meter.read();
  assert.deepEqual(times, [1_000_000_005, 1_000_000_010]);
  assert.deepEqual(series.transactions, [10, 0]);
  assert.deepEqual(series.changes, [20, 0]);
  assert.deepEqual(series.messages, [5, 0]);
  assert.deepEqual(series.subscribers, [3, 3]);
  assert.deepEqual(series.lagBytes, [12, 12]);
  assert.deepEqual(series.walBytes, [4096, 4096]);
  assert.deepEqual(series.requestP50, [null, null]);
  assert.ok(series.delayP50[0]! >= 1 && series.delayP50[0]! < 1000, String(series.delayP50[0]));
  assert.equal(series.delayP50[1], null);
});

test('the slowest routes come first, by what they did in the last hour', async (t) => {
  const requests = new RequestHistogram();
  const fastify = Fastify();
  t.after(() => fastify.close());
  requests.install(fastify);
  const loads = new RouteLoads(requests, 0);
  fastify.get('/fast', async () => 'at once');
  fastify.get('/slow', async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return 'at last';
  });
  fastify.get('/broken', async () => {
    throw new Error('no');
  });
  for (const url of ['/slow', '/fast', '/fast', '/broken', '/nowhere']) await fastify.inject(url);
  const [slowest, ...others] = loads.slowest();
  assert.equal(slowest?.route, '/slow');
  assert.ok(slowest.p50 >= 25 && slowest.total >= 25, JSON.stringify(slowest));
  const broken = others.find(({ route }) => route === '/broken');
  assert.deepEqual([broken?.requests, broken?.failed], [1, 1]);
  assert.equal(others.find(({ route }) => route === '/fast')?.requests, 2);
  // An hour and more later they are forgotten.
  for (let step = 1; step <= 13; step++) loads.step(step * 300_000);
  assert.deepEqual(loads.slowest(), []);
});
