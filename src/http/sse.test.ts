import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type TestServer, testServer } from './testing/server.ts';
import { until } from './testing/until.ts';

const TOPIC = 'sample/numbers/a';

interface Stream {
  readonly response: Response;
  /** Everything received so far. */
  text(): string;
  readonly ended: Promise<void>;
  abort(): void;
}

async function open(t: TestContext, url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const response = await fetch(url, { headers, signal: abort.signal });
  let received = '';
  const ended = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) received += chunk;
  })().catch(() => {});
  return { response, text: () => received, ended, abort: () => abort.abort() };
}

async function listening(
  t: TestContext,
  options: Parameters<typeof testServer>[2] = {},
): Promise<TestServer & { url: string }> {
  const server = await testServer(t, {}, options);
  return { ...server, url: `http://127.0.0.1:${await server.listen()}` };
}

test('events come with their position as id, and end the subscription when the client leaves', async (t) => {
  const { url, topics } = await listening(t);
  const stream = await open(t, `${url}/sample/numbers/a/stream`);
  assert.equal(stream.response.status, 200);
  assert.match(stream.response.headers.get('content-type')!, /^text\/event-stream/);
  assert.equal(stream.response.headers.get('cache-control'), 'no-cache, no-transform');
  const position = topics.send(TOPIC, { number: 1 });
  await until('the event', () => stream.text().includes(`id: ${position}\nevent: state\ndata: {"number":1}\n\n`));
  stream.abort();
  await until('the subscription to end', () => topics.subscribers === 0);
});

test('every topic is a stream by its own name; the topic says who may follow it', async (t) => {
  const { url, topics } = await listening(t);
  const stream = await open(t, `${url}/live/sample/numbers/a%2Fb`);
  topics.send('sample/numbers/a/b', { number: 1 });
  await until('the event', () => stream.text().includes('data: {"number":1}'));
  for (const [path, status] of [
    ['sample/private/a', 401],
    ['sample/nothing/a', 404],
    ['sample/numbers', 404],
  ] as const)
    assert.equal((await fetch(`${url}/live/${path}`)).status, status, path);
});

test('[SPEC 4] a stream resumes after Last-Event-ID or ?from=; a position that is none is 400', async (t) => {
  const { url, topics } = await listening(t);
  await open(t, `${url}/sample/numbers/a/stream`, { 'last-event-id': 'e1-2s' });
  await open(t, `${url}/sample/numbers/a/stream?from=e1-2t`);
  await open(t, `${url}/sample/numbers/a/stream`);
  assert.deepEqual(
    topics.asked.map(({ from }) => from),
    [{ epoch: 'e1', lsn: 100 }, { epoch: 'e1', lsn: 101 }, null],
  );
  for (const request of [
    `${url}/sample/numbers/a/stream?from=x`,
    `${url}/sample/numbers/a/stream?from=e1-2s&from=e1-2s`,
  ]) {
    assert.equal((await fetch(request)).status, 400);
  }
});

test('[SPEC 9] what cannot be followed is answered as an error, and leaves nothing open', async (t) => {
  const { url, topics, app } = await listening(t);
  const status = async (headers: Record<string, string>) =>
    (await open(t, `${url}/sample/private/a/stream`, headers)).response.status;
  assert.equal(await status({}), 401);
  assert.equal(await status({ authorization: 'nobody' }), 401);
  assert.equal(app.lockstep.connections.count('sse'), 0);
  assert.equal(await status({ authorization: 'alice' }), 200);
  assert.equal(topics.asked.at(-1)?.username, 'alice');
});

test('[SPEC 9] a token that runs out ends the stream it opened', async (t) => {
  const { url, identity, topics } = await listening(t, { limits: { connections: { beatMs: 20 } } });
  const stream = await open(t, `${url}/sample/private/a/stream`, { authorization: 'alice' });
  await until('a heartbeat', () => stream.text().includes(':\n\n'));
  identity.good.delete('alice');
  await stream.ended;
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 9] so does one that runs out while the topic is being subscribed to', async (t) => {
  const { url, identity, topics } = await listening(t, { limits: { connections: { beatMs: 20 } } });
  const read = Promise.withResolvers<void>();
  topics.reading = read.promise;
  const opened = open(t, `${url}/sample/private/a/stream`, { authorization: 'alice' });
  await until('the subscription to be under way', () => topics.subscribers === 1);
  identity.good.delete('alice');
  await until('the end of the token to be seen', () => identity.refused > 0);
  topics.send('sample/private/a', 'not for alice');
  read.resolve();
  const stream = await opened;
  await stream.ended;
  assert.equal(stream.text(), 'retry: 1000\n\n');
  assert.equal(topics.subscribers, 0);
});

test('[SPEC 8] a client that does not read is dropped at a byte limit', async (t) => {
  const { listen, topics } = await testServer(t);
  const socket = connect(await listen(), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write('GET /sample/numbers/a/stream HTTP/1.1\r\nhost: x\r\n\r\n');
  await until('the subscription', () => topics.subscribers === 1);
  const data = 'x'.repeat(200_000);
  let sent = 0;
  await until('the client to be dropped', () => {
    topics.send(TOPIC, data);
    sent += data.length;
    return topics.subscribers === 0;
  });
  assert.ok(sent < 64 * 2 ** 20, `${sent} bytes were taken`);
});

test('[SPEC 8] an address may have so many streams, and all of them together so many', async (t) => {
  const { url } = await listening(t, { limits: { connections: { maxPerAddress: 2, spareLoopback: false } } });
  const stream = `${url}/sample/numbers/a/stream`;
  const first = await open(t, stream);
  await open(t, stream);
  const refused = await fetch(stream);
  assert.equal(refused.status, 429);
  assert.match(((await refused.json()) as { message: string }).message, /2 open connections/);
  first.abort();
  let status = 0;
  await until('room again', () => {
    void fetch(stream, { method: 'GET' }).then((response) => {
      status = response.status;
      return response.body?.cancel();
    });
    return status === 200;
  });
  const full = await listening(t, { limits: { connections: { max: 0 } } });
  assert.equal((await fetch(`${full.url}/sample/numbers/a/stream`)).status, 503);
});

test('HEAD of a stream is its headers', async (t) => {
  const { app, topics } = await testServer(t);
  const response = await app.inject({ method: 'HEAD', url: '/sample/numbers/a/stream' });
  assert.equal(response.statusCode, 200);
  assert.equal(topics.subscribers, 0);
});
