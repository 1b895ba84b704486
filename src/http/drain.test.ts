import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { WebSocket } from 'ws';
import { drain } from './drain.ts';
import { testServer } from './testing/server.ts';
import { until } from './testing/until.ts';

test('[rule: graceful stop] not ready, streams and sockets told, requests under way answered, idle connections closed', async (t) => {
  let finish: (() => void) | undefined;
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const services = [
    {
      name: 'sample',
      title: 'A sample',
      routes: (app: FastifyInstance) => void app.get('/slow', async () => slow.then(() => ({ done: true }))),
    },
  ];
  const { app, listen } = await testServer(t, {}, { services });
  const port = await listen();
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const idle = get({ port, path: '/healthz', agent });
  const [first] = await once(idle, 'response');
  await text(first);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const underWay = fetch(`http://127.0.0.1:${port}/sample/slow`);
  await until('the request', () => app.server.listening);
  await once(app.server, 'request');

  const stopped = drain(app, { graceMs: 60_000 });
  assert.equal((await app.inject('/readyz')).statusCode, 503);
  assert.equal((await closed)[0], 1012);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  finish?.();
  assert.deepEqual(await (await underWay).json(), { done: true });
  await stopped;
  assert.equal(app.server.listening, false);
});

test('[SPEC 8] what does not end within the grace is cut off', async (t) => {
  const services = [
    {
      name: 'sample',
      title: 'A sample',
      routes: (app: FastifyInstance) => void app.get('/never', () => new Promise(() => {})),
    },
  ];
  const { app, listen } = await testServer(t, {}, { services });
  const port = await listen();
  const failed = assert.rejects(fetch(`http://127.0.0.1:${port}/sample/never`));
  await once(app.server, 'request');
  await drain(app, { graceMs: 50 });
  await failed;
});

test('an event stream ends when the server stops', async (t) => {
  const { app, listen, topics } = await testServer(t);
  const port = await listen();
  const response = await fetch(`http://127.0.0.1:${port}/sample/numbers/a/stream`);
  const whole = response.text();
  await drain(app, { graceMs: 60_000 });
  assert.match(await whole, /^retry: 1000/);
  assert.equal(topics.subscribers, 0);
});
