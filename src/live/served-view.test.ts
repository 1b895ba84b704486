import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeLog } from '../testing/fake-feed.ts';
import { ALL, expected, following, settle, until } from '../testing/fake-follower.ts';

const COUNT = 3;

async function live(t: TestContext, options: Parameters<typeof following>[2] = {}) {
  const log = new FakeLog();
  log.commit([{ id: 1, value: 1 }]);
  const all = following(t, log, options);
  await all.follower.start();
  await settle(log, all.watermark);
  return { log, ...all };
}

test('[SPEC 2] [rule 9] a transaction reaches all views in one turn: whoever looks sees all of them at one position', async (t) => {
  const { log, views, watermark } = await live(t, { count: COUNT });
  const look = () => {
    const seen = views.map((view) => view.readNow([ALL])!);
    assert.deepEqual(new Set(seen.map(({ results }) => String(results[0]))).size, 1, 'the same rows');
    assert.deepEqual(new Set(seen.map(({ position }) => position.lsn)), new Set([watermark.position.lsn]));
    return seen[0]!;
  };
  for (let i = 0; i < 20; i++) {
    log.commit([{ id: i % 4, value: i }]);
    for (const session of log.sessions) session.step();
    assert.deepEqual(look().results[0], expected(log), 'when the step returns');
    for (let hops = 0; hops < COUNT * 2; hops++) {
      await null;
      look();
    }
  }
});

test('[SPEC 2] [rule 9] the queries of one read are answered at one position, whatever comes while it is waited for', async (t) => {
  const { log, view, watermark } = await live(t);
  for (let i = 0; i < 20; i++) {
    const reading = view.read([ALL, ALL, ALL], { minPosition: watermark.position });
    for (let hops = 0; hops < 8; hops++) {
      await null;
      log.commit([{ id: i, value: hops }]);
      for (const session of log.sessions) session.step();
    }
    const { results } = await reading;
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  }
});

test('[SPEC 4] a view that has not reached the position in time does not answer: the record does', async (t) => {
  const { log, view, watermark } = await live(t, { waitMs: 20 });
  log.commit([{ id: 1, value: 2 }]);
  const minPosition = { epoch: 'fake', lsn: log.lsn };
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=1'], 'behind');
  assert.equal(view.readNow([ALL], minPosition), undefined);
  const answer = await view.read([ALL], { minPosition });
  assert.deepEqual(answer, { results: [['1=2']], position: minPosition, source: 'record' });
  await settle(log, watermark);
  assert.equal((await view.read([ALL], { minPosition })).source, 'view');
  assert.deepEqual(view.readNow([ALL], minPosition)!.results[0], ['1=2']);
  assert.equal(view.readNow([ALL], { epoch: 'another', lsn: 0 }), undefined);
});

test('[SPEC 4] who reads from the record and then from the view does not go back in time', async (t) => {
  const { log, view } = await live(t);
  log.commit([{ id: 1, value: 2 }]);
  let isAnswered = false;
  const reading = view.read([ALL], { from: 'record' }).finally(() => {
    isAnswered = true;
  });
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  assert.deepEqual([isAnswered, view.readNow([ALL])!.results[0]], [false, ['1=1']], 'the view is behind');
  for (const session of log.sessions) session.step();
  assert.deepEqual((await reading).results[0], ['1=2']);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=2']);
});

test('[SPEC 5] [rule 8] a view that is not fed any more is not read, whatever it holds', async (t) => {
  const { log, view, watermark } = await live(t);
  const [session] = log.sessions;
  session!.kill();
  for (let turns = 0; turns < 3 && view.state === 'live'; turns++) await nextTurn();
  log.commit([{ id: 1, value: 2 }]);
  assert.equal(view.readNow([ALL]), undefined);
  const { results, source } = await view.read([ALL]);
  assert.deepEqual([results[0], source], [['1=2'], 'record']);
  await until('the view is live', () => view.state === 'live');
  await settle(log, watermark);
  assert.deepEqual(view.readNow([ALL])!.results[0], ['1=2']);
});
