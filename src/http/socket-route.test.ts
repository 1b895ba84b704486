import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { ClientError } from '../record/errors.ts';
import type { ClientSocket } from './client-socket.ts';
import { textFrames } from './frames.ts';
import { type SocketRoute, socketRoute } from './socket-route.ts';
import { testServer } from './testing/server.ts';
import { until } from './testing/until.ts';

/** A server with `route` at `/own`, and its URL. */
async function serving(t: TestContext, route: Partial<SocketRoute>) {
  const server = await testServer(t, { corsOrigins: ['https://a.example'] });
  const clients: ClientSocket[] = [];
  const received: unknown[] = [];
  let closed = 0;
  const open = socketRoute({
    maxPayload: 100,
    open: (socket) => {
      clients.push(socket);
      return { received: (data, isBinary) => received.push([String(data), isBinary]), closed: () => closed++ };
    },
    ...route,
  });
  server.app.get('/own', open);
  const url = `ws://127.0.0.1:${await server.listen()}/own`;
  return { ...server, url, clients, received, closed: () => closed };
}

async function connect(t: TestContext, url: string, protocols: string[] = [], options: ClientOptions = {}) {
  const socket = new WebSocket(url, protocols, options);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function refusal(url: string, options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  response.resume();
  return response.statusCode as number;
}

test('a route agrees on a subprotocol it knows, or on none', async (t) => {
  const { url, clients } = await serving(t, { protocols: ['b', 'c'] });
  assert.equal((await connect(t, url, ['a', 'c', 'b'])).protocol, 'c');
  assert.equal((await connect(t, url)).protocol, '');
  assert.deepEqual(
    clients.map(({ protocol }) => protocol),
    ['c', ''],
  );
});

test('messages both ways, frames encoded before between those of ws, in order', async (t) => {
  const { url, clients, received } = await serving(t, {});
  const socket = await connect(t, url);
  const got: string[] = [];
  socket.on('message', (data) => got.push(String(data)));
  const [client] = clients as [ClientSocket];
  client.send('one');
  client.write(textFrames(['two', 'three']));
  client.send(Buffer.from('four'));
  client.write(textFrames(['five']));
  socket.send('text');
  socket.send(Buffer.from('bytes'));
  await until('all messages', () => got.length === 5 && received.length === 2);
  assert.deepEqual(got, ['one', 'two', 'three', 'four', 'five']);
  assert.deepEqual(received, [
    ['text', false],
    ['bytes', true],
  ]);
});

test('[SPEC 9] a route refuses before the handshake: Origin, token, and what it says itself', async (t) => {
  const users: (string | undefined)[] = [];
  const { url } = await serving(t, {
    admit: (request, user) => {
      users.push(user?.username);
      if (request.headers['x-banned']) throw new ClientError(403, 'You are banned.');
    },
  });
  assert.equal(await refusal(url, { headers: { 'x-banned': '1' } }), 403);
  assert.equal(await refusal(url, { origin: 'https://evil.example' }), 403);
  assert.equal(await refusal(url, { headers: { authorization: 'nonsense' } }), 401);
  assert.deepEqual(users, [undefined]);
  const plain = await fetch(url.replace('ws:', 'http:'));
  assert.equal(plain.status, 426);
});

test('the end is told once, whoever closes; nothing is sent or received after it', async (t) => {
  const { url, clients, received, closed } = await serving(t, {});
  const socket = await connect(t, url);
  const end = once(socket, 'close');
  const [client] = clients as [ClientSocket];
  client.close(4000, 'enough');
  client.close(4001, 'again');
  client.send('late');
  client.write(textFrames(['late']));
  socket.on('message', () => assert.fail('sent after the end'));
  const [code, reason] = await end;
  assert.deepEqual([code, String(reason)], [4000, 'enough']);
  await until('the end', () => closed() === 1);
  assert.deepEqual(received, []);
  const other = await connect(t, url);
  other.close();
  await until('the other end', () => closed() === 2);
});
