import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import type { ServerOptions } from './server.ts';
import { type TestServer, testServer } from './testing/server.ts';
import { until } from './testing/until.ts';

type Message = Readonly<Record<string, unknown>>;

interface Client {
  readonly socket: WebSocket;
  readonly received: Message[];
  /** Sends, and gives the next message. */
  ask(message: unknown): Promise<Message>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

const TOPIC = 'sample/numbers/a';

async function listening(
  t: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<TestServer & { url: string; port: number }> {
  const server = await testServer(t, { corsOrigins: ['https://a.example'] }, options);
  const port = await server.listen();
  return { ...server, port, url: `ws://127.0.0.1:${port}/live` };
}

async function open(t: TestContext, url: string, options: ClientOptions = {}): Promise<Client> {
  const socket = new WebSocket(url, options);
  t.after(() => socket.terminate());
  const received: Message[] = [];
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as Message));
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  await once(socket, 'open');
  const ask = async (message: unknown) => {
    const before = received.length;
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    await until(`an answer to ${JSON.stringify(message)}`, () => received.length > before);
    return received[before]!;
  };
  return { socket, received, ask, closed };
}

/** The status with which an upgrade is refused. */
async function refusal(url: string, options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  response.resume();
  return response.statusCode as number;
}

function errorOf(message: Message): { status: number; message: string; topic?: string } {
  return message.error as { status: number; message: string };
}

test('subscribe, messages, unsubscribe', async (t) => {
  const { url, topics } = await listening(t);
  const { ask, received } = await open(t, url);
  assert.deepEqual(await ask({ subscribe: TOPIC, from: 'e1-2s' }), { subscribed: TOPIC });
  assert.deepEqual(topics.asked, [{ topic: TOPIC, from: { epoch: 'e1', lsn: 100 }, username: null }]);
  const position = topics.send(TOPIC, { number: 1 });
  await until('the message', () => received.length === 2);
  assert.deepEqual(received[1], { topic: TOPIC, event: 'state', position, previous: null, data: { number: 1 } });
  assert.deepEqual(await ask({ unsubscribe: TOPIC }), { unsubscribed: TOPIC });
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 9] what is wrong is answered on the socket, which stays open', async (t) => {
  const { url } = await listening(t);
  const { ask } = await open(t, url);
  const wrong: [unknown, number][] = [
    ['{', 400],
    ['7', 400],
    ['null', 400],
    ['[]', 400],
    [{}, 400],
    [{ subscribe: 7 }, 400],
    [{ subscribe: TOPIC, from: 'x' }, 400],
    [{ subscribe: TOPIC, from: { toString: 1 } }, 400],
    [{ subscribe: 'none/numbers/a' }, 404],
    [{ subscribe: 'sample/private/a' }, 401],
    [{ unsubscribe: TOPIC }, 404],
    [{ token: 'nobody' }, 401],
  ];
  for (const [message, status] of wrong) {
    const error = errorOf(await ask(message));
    assert.equal(error.status, status, JSON.stringify(message));
    assert.ok(error.message.length > 10);
  }
  assert.equal(errorOf(await ask({ subscribe: 'sample/private/a' })).topic, 'sample/private/a');
  assert.deepEqual(await ask({ subscribe: TOPIC }), { subscribed: TOPIC });
  assert.equal(errorOf(await ask({ subscribe: TOPIC })).status, 409);
});

test('[SPEC 9] a binary message is answered, bytes that are no text and frames that are none close', async (t) => {
  const { url } = await listening(t);
  const { socket, received, closed } = await open(t, url);
  socket.send(Buffer.from('{}'), { binary: true });
  await until('the answer', () => received.length === 1);
  assert.equal(errorOf(received[0]!).status, 400);
  socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  assert.equal((await closed).code, 1007);
});

test('an upgrade to anything else is an ordinary request', async (t) => {
  const { port } = await listening(t);
  const socket = connect(port, '127.0.0.1');
  const body = '{"username":"a","password":"b"}';
  socket.end(
    'POST /identity/login HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: \r\n' +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  assert.match(await text(socket), /^HTTP\/1\.1 200 OK/);
});

test('[SPEC 9] an upgrade behind a request that is not answered yet ends its connection, and nothing else', async (t) => {
  const { port, app, logged } = await listening(t);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n`;
  const upgrade =
    `${get('/live')}connection: upgrade\r\nupgrade: websocket\r\n` +
    'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  // Answered by Node, straight to the socket at the end of the turn, never, and behind one that never is.
  for (const paths of [
    ['/readyz'],
    ['/sample/numbers'],
    ['/sample/numbers/a/stream'],
    ['/live/sample/numbers/a', '/sample/numbers/a/stream'],
  ]) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    socket.resume().write(paths.map((path) => `${get(path)}\r\n`).join('') + upgrade);
    await until(`${paths} to be closed`, () => socket.closed);
  }
  await until('the streams to be let go of', () => app.lockstep.connections.count('sse') === 0);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.deepEqual(logged, []);
});

test('[SPEC 8] a message over the size limit closes the socket', async (t) => {
  const { url } = await listening(t);
  const { socket, closed } = await open(t, url);
  socket.send('x'.repeat(20_000));
  assert.equal((await closed).code, 1009);
});

test("[SPEC 9] a token opens private topics, in the order sent; another user's ends what the first one followed", async (t) => {
  const { url, topics } = await listening(t);
  const { socket, received, ask } = await open(t, url);
  for (const message of [{ token: 'alice' }, { subscribe: 'sample/private/a' }]) socket.send(JSON.stringify(message));
  await until('both answers', () => received.length === 2);
  assert.deepEqual(received, [{ authenticated: 'alice' }, { subscribed: 'sample/private/a' }]);
  assert.equal(topics.asked[0]?.username, 'alice');
  assert.deepEqual(await ask({ token: 'alice' }), { authenticated: 'alice' });
  assert.equal(topics.subscribers, 1, 'a renewed token keeps them');
  assert.deepEqual(await ask({ token: 'bob' }), { authenticated: 'bob' });
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 9] a token that runs out ends the subscriptions', async (t) => {
  const { url, topics, identity } = await listening(t, { limits: { connections: { beatMs: 20 } } });
  const { ask, received } = await open(t, url, { headers: { authorization: 'alice' } });
  assert.deepEqual(await ask({ subscribe: 'sample/private/a' }), { subscribed: 'sample/private/a' });
  identity.good.delete('alice');
  await until('the end', () => topics.subscribers === 0);
  await until('the word of it', () => received.length === 2);
  assert.equal(errorOf(received[1]!).status, 401);
});

test('[SPEC 9] a token that runs out while a topic is being subscribed to ends that subscription too', async (t) => {
  const { url, topics, identity } = await listening(t, { limits: { connections: { beatMs: 20 } } });
  const { socket, received } = await open(t, url, { headers: { authorization: 'alice' } });
  const read = Promise.withResolvers<void>();
  topics.reading = read.promise;
  socket.send(JSON.stringify({ subscribe: 'sample/private/a' }));
  await until('the subscription to be under way', () => topics.subscribers === 1);
  identity.good.delete('alice');
  await until('the end of the token', () => received.length === 1);
  read.resolve();
  await until('the refusal', () => received.length === 2);
  const { status, topic } = errorOf(received[1]!);
  assert.deepEqual([status, topic, topics.subscribers], [401, 'sample/private/a', 0]);
});

test('[SPEC 9] an upgrade is refused like a request: Origin, path, token; a plain GET is 426', async (t) => {
  const { url, app } = await listening(t);
  assert.equal(await refusal(url, { origin: 'https://evil.example' }), 403);
  assert.equal(await refusal(url.replace('/live', '/other')), 404);
  assert.equal(await refusal(url, { headers: { authorization: 'nobody' } }), 401);
  assert.equal((await app.inject('/live')).statusCode, 426);
  for (const origin of ['https://a.example', url.replace('ws:', 'http:').replace('/live', '')]) {
    (await open(t, url, { origin })).socket.close();
  }
  await until('all places to be free', () => app.lockstep.connections.count('websocket') === 0);
});

test('[SPEC 8] connections of an address, topics of a connection and messages a second have limits', async (t) => {
  const limits = {
    connections: { maxPerAddress: 1, spareLoopback: false },
    sockets: { maxSubscriptions: 1, messagesPerSecond: 10 },
  };
  const { url, topics } = await listening(t, { limits });
  const { socket, ask, closed } = await open(t, url);
  assert.equal(await refusal(url), 429);
  await ask({ subscribe: TOPIC });
  assert.equal(errorOf(await ask({ subscribe: 'sample/numbers/b' })).status, 429);
  for (let i = 0; i < 50; i++) socket.send('{}');
  const { code, reason } = await closed;
  assert.equal(code, 1008);
  assert.match(reason, /more than 10 messages a second/);
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 8] a client that does not read is dropped at a byte limit with 1013, others go on', async (t) => {
  const { url, topics } = await listening(t, { limits: { sockets: { maxQueuedBytes: 500_000 } } });
  const slow = await open(t, url);
  const quick = await open(t, url);
  await slow.ask({ subscribe: TOPIC });
  await quick.ask({ subscribe: TOPIC });
  slow.socket.pause();
  const data = 'x'.repeat(100_000);
  let sent = 0;
  await until('the slow client to be dropped', () => {
    // Only as fast as the quick one reads: it must not be taken for slow.
    if (quick.received.length > sent) {
      topics.send(TOPIC, data);
      sent++;
    }
    return topics.subscribers === 1;
  });
  assert.ok(sent * data.length < 64 * 2 ** 20);
  slow.socket.resume();
  const { code, reason } = await slow.closed;
  assert.equal(code, 1013);
  assert.match(reason, /too slow/);
});

test('[SPEC 8] a client that does not answer the heartbeat is cut off', async (t) => {
  const { url, app, port } = await listening(t, { limits: { connections: { beatMs: 200 } } });
  const alive = await open(t, url);
  const dead = connect(port, '127.0.0.1');
  t.after(() => dead.destroy());
  dead.write(
    'GET /live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(dead, 'data');
  await once(dead, 'close');
  await until('its place to be free', () => app.lockstep.connections.count('websocket') === 1);
  assert.equal(alive.socket.readyState, WebSocket.OPEN);
});
