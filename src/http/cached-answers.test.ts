import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Position } from '../changes/position.ts';
import type { Answer } from '../live/live.ts';
import { CachedAnswers } from './cached-answers.ts';
import { TestView } from './testing/live.ts';
import { testServer } from './testing/server.ts';

test("[SPEC 5] the cached answer goes with the view's version, at the view's present position", async (t) => {
  const { app, view } = await testServer(t);
  const get = async () => (await app.inject('/sample/numbers?limit=2')).json<{ number: number }>().number;
  assert.equal(await get(), 1);
  view.number = 2;
  assert.equal(await get(), 1, 'cached: the version is the same');
  view.position = { epoch: 'e1', lsn: 200 };
  const response = await app.inject('/sample/numbers?limit=2');
  assert.equal(response.headers['lockstep-position'], 'e1-5k');
  assert.equal(response.headers['lockstep-source'], 'view');
  assert.match(String(response.headers['content-type']), /^application\/json/);
  view.version++;
  assert.equal(await get(), 2);
});

test('[SPEC 5] a view that cannot answer is not covered up by what is cached: the record answers', async (t) => {
  const { app, view } = await testServer(t);
  await app.inject('/sample/numbers');
  view.available = false;
  view.number = 3;
  const response = await app.inject('/sample/numbers');
  assert.equal(response.headers['lockstep-source'], 'record');
  assert.equal(response.json<{ number: number }>().number, 3);
});

test('[SPEC 4] a minimum position goes past the cache, to the view, unless the view has reached it', async (t) => {
  const { app, view } = await testServer(t);
  await app.inject('/sample/numbers');
  const get = () => app.inject({ url: '/sample/numbers', headers: { 'lockstep-min-position': 'e1-2s' } });
  await get();
  assert.deepEqual(view.reads, []);
  view.position = { epoch: 'e1', lsn: 99 };
  await get();
  assert.deepEqual(view.reads, [{ epoch: 'e1', lsn: 100 }]);
  view.position = { epoch: 'e2', lsn: 101 };
  await get();
  assert.deepEqual(view.reads, [
    { epoch: 'e1', lsn: 100 },
    { epoch: 'e1', lsn: 100 },
  ]);
});

test('keys do not mix, HEAD has no body, other origins get their headers', async (t) => {
  const { app } = await testServer(t, { corsOrigins: ['https://a.example'] });
  assert.equal((await app.inject('/sample/numbers?limit=2')).json<{ limit: number }>().limit, 2);
  const other = await app.inject({ url: '/sample/numbers?limit=3', headers: { origin: 'https://a.example' } });
  assert.equal(other.json<{ limit: number }>().limit, 3);
  assert.equal(other.headers['access-control-allow-origin'], 'https://a.example');
  assert.match(String(other.headers['access-control-expose-headers']), /Lockstep-Position/);
  const plain = await testServer(t);
  const head = await plain.app.inject({ method: 'HEAD', url: '/sample/numbers?limit=2' });
  assert.equal(head.body, '');
  assert.equal(head.headers['content-length'], '22');
});

test('characters beyond ASCII have the right length', async (t) => {
  const view = new TestView();
  const answers = new CachedAnswers(view);
  const app = await server(t, (request, reply) =>
    answers.send(request, reply, { key: '', queries: () => [], body: () => 'Zürich 東京' }),
  );
  for (let i = 0; i < 2; i++) assert.equal((await app.inject('/sample/x')).json(), 'Zürich 東京');
});

test('[SPEC 8] the oldest make room when the bytes are used up', async (t) => {
  const view = new TestView();
  const answers = new CachedAnswers(view, { maxBytes: 2800 });
  let made = 0;
  const app = await server(t, (request, reply) =>
    answers.send(request, reply, { key: request.url, queries: () => [{}], body: () => ++made && 'x'.repeat(100) }),
  );
  const get = (i: number) => app.inject(`/sample/x?${i}`);
  for (const i of [1, 2, 3, 1, 2, 3]) await get(i);
  assert.equal(made, 3, 'three fit');
  await get(4);
  await get(3);
  assert.equal(made, 4);
  await get(1);
  assert.equal(made, 5, 'the first had to go');
});

test('an answer ends when something in it expires, although nothing changes', async (t) => {
  const time = { now: 1000 };
  const answers = new CachedAnswers(new TestView(), { now: () => time.now });
  let made = 0;
  const app = await server(t, (request, reply) =>
    answers.send(request, reply, { key: '', queries: () => [{}], body: () => ++made, until: () => time.now + 500 }),
  );
  const get = async () => (await app.inject('/sample/x')).json();
  assert.deepEqual([await get(), await get()], [1, 1]);
  time.now = 1499;
  assert.equal(await get(), 1);
  time.now = 1500;
  assert.deepEqual([await get(), await get()], [2, 2], 'at the moment itself it is over');
});

/** A view in a store: it answers later, when the test lets it, at a position of its own. */
class StoredView extends TestView {
  asked: PromiseWithResolvers<void>[] = [];

  override readNow(queries: readonly unknown[], minPosition?: Position): Answer<never> | undefined {
    return queries.length === 0 ? super.readNow(queries, minPosition) : undefined;
  }

  override async read(queries: readonly unknown[]): Promise<Answer<never>> {
    const { number, position } = this;
    const gate = Promise.withResolvers<void>();
    this.asked.push(gate);
    await gate.promise;
    const source = this.available ? 'view' : 'record';
    return { results: queries.map(() => number) as never, position: { ...position, lsn: position.lsn + 10 }, source };
  }
}

async function storedServer(t: Parameters<typeof testServer>[0]) {
  const view = new StoredView();
  const answers = new CachedAnswers(view);
  const app = await server(t, (request, reply) =>
    answers.send(request, reply, { key: '', queries: () => [{}], body: (results) => (results as unknown[])[0] }),
  );
  const get = async () => {
    const response = await app.inject('/sample/x');
    return [response.json<number>(), response.headers['lockstep-position'], response.headers['lockstep-source']];
  };
  /** Waits until so many readings were asked for, and lets them answer. */
  const answer = async (count: number) => {
    while (view.asked.length < count) await new Promise(setImmediate);
    for (const { resolve } of view.asked) resolve();
  };
  return { view, get, answer };
}

test('[SPEC 5] of a view in a store: one reading for all who ask, kept, at the later of its position and the node’s', async (t) => {
  const { view, get, answer } = await storedServer(t);
  const asking = [get(), get()];
  await answer(1);
  assert.deepEqual(await Promise.all(asking), Array(2).fill([1, 'e1-32', 'view']));
  assert.deepEqual(await get(), [1, 'e1-32', 'view'], 'it was read ahead of what the node knows');
  view.position = { epoch: 'e1', lsn: 200 };
  assert.deepEqual(await get(), [1, 'e1-5k', 'view'], 'nothing touched it since');
  assert.equal(view.asked.length, 1);
});

test('[SPEC 5] what was read while the view changed is not kept, and nobody joins it who knows of the change', async (t) => {
  const { view, get, answer } = await storedServer(t);
  const before = get();
  while (view.asked.length < 1) await new Promise(setImmediate);
  view.version++;
  view.number = 2;
  const after = get();
  await answer(2);
  assert.deepEqual([(await before)[0], (await after)[0]], [1, 2]);
  assert.equal((await get())[0], 2);
  assert.equal(view.asked.length, 2);
});

test('[SPEC 5] a view in a store that is out of step: the record answers each of its askers, and nothing is kept', async (t) => {
  const { view, get, answer } = await storedServer(t);
  view.available = false;
  const asking = [get(), get()];
  await answer(2);
  assert.deepEqual(
    (await Promise.all(asking)).map(([, , source]) => source),
    ['record', 'record'],
  );
  const next = get();
  await answer(3);
  assert.equal((await next)[2], 'record');
});

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

async function server(t: Parameters<typeof testServer>[0], handler: Handler): Promise<FastifyInstance> {
  const services = [
    { name: 'sample', title: 'A sample', routes: (app: FastifyInstance) => void app.get('/x', handler) },
  ];
  return (await testServer(t, {}, { services })).app;
}
