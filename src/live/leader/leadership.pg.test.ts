import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog, testDatabase } from '../../testing/database.ts';
import { faultProxy } from '../../testing/fault-proxy.ts';
import { Leadership } from './leadership.ts';
import type { Term } from './term.ts';

/** Nodes that want to lead one database; everything ends with the test. */
async function electorate(t: TestContext, timeoutMs = 60_000) {
  const { url, record } = await testDatabase(t);
  const stop = new AbortController();
  const terms: Term[] = [];
  const waits: Promise<unknown>[] = [];
  t.after(async () => {
    stop.abort();
    await Promise.all(waits);
    await Promise.all(terms.map((term) => term.resign()));
  });
  const candidate = (node: string, heartbeatMs?: number, through = url) => {
    const options = { url: through, node, timeoutMs, log: silentLog };
    const leadership = new Leadership(heartbeatMs === undefined ? options : { ...options, heartbeatMs });
    const won = leadership.won(stop.signal).then((term) => {
      if (term) terms.push(term);
      return term;
    });
    waits.push(won);
    return { leadership, won: won as Promise<Term> };
  };
  const leader = async () => (await record.query<{ node: string; pid: number }>('select * from lockstep.leader'))[0]!;
  return { url, record, candidate, leader, terms };
}

test('[SPEC 3] [rule 16] one node leads; when it dies another does within 250 ms, with a higher epoch', async (t) => {
  const { record, candidate, leader, terms } = await electorate(t);
  const nodes = ['a', 'b', 'c'].map((node) => candidate(node));
  const first = await Promise.race(nodes.map(({ won }) => won));
  await sleep(200);
  assert.equal(terms.length, 1, 'the others wait');
  const { pid, node } = await leader();
  const began = performance.now();
  await record.query('select pg_terminate_backend($1)', [pid]);
  assert.match((await first.lost).message, /its connection ended/);
  const others = nodes.filter((_, i) => ['a', 'b', 'c'][i] !== node);
  const second = await Promise.race(others.map(({ won }) => won));
  const took = performance.now() - began;
  assert.ok(took < 250, `${took} ms`);
  assert.equal(second.epoch, first.epoch + 1);
  assert.equal(terms.length, 2);
});

test('[SPEC 3] [rule 16] a leader whose heartbeat stops is deposed after its time, and learns of it', {
  timeout: 60_000, // nobody else would ever lead
}, async (t) => {
  const { candidate } = await electorate(t, 300);
  const frozen = await candidate('frozen', 3_600_000).won;
  const began = performance.now();
  const next = await candidate('next').won;
  const took = performance.now() - began;
  assert.ok(took > 200 && took < 2000, `${took} ms`);
  assert.equal(next.epoch, frozen.epoch + 1);
  await frozen.lost;
  // The new one lives: nobody deposes it, though the time passes.
  const third = candidate('third');
  assert.equal(await Promise.race([third.won, sleep(900)]), undefined);
  assert.equal(next.over, false);
});

test('[SPEC 3] a leader that resigns hands over at once', async (t) => {
  const { candidate } = await electorate(t);
  const first = await candidate('first').won;
  const { leadership, won } = candidate('second');
  await sleep(30);
  const began = performance.now();
  await first.resign();
  leadership.look();
  await won;
  assert.ok(performance.now() - began < 250);
});

test('[SPEC 3] a leader that another one has overtaken without its knowing ends its term at its next heartbeat', async (t) => {
  const { record, candidate } = await electorate(t);
  const first = await candidate('first', 20).won;
  await record.query('update lockstep.leader set epoch = epoch + 1');
  assert.match((await first.lost).message, /another node/);
});

test('[SPEC 3] [rule 16] a node whose questions are not answered any more asks on another connection', {
  timeout: 60_000,
}, async (t) => {
  const { url, candidate } = await electorate(t, 500);
  const proxy = await faultProxy(t, url);
  for (const question of ['pg_try_advisory_lock', 'pg_terminate_backend']) {
    const frozen = candidate('frozen', 3_600_000); // to be deposed
    await frozen.won;
    const silenced = proxy.silenceOn(question);
    const { won } = candidate('cut off', undefined, proxy.url);
    await silenced;
    await (await won).resign();
  }
});
