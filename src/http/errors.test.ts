import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { testServer } from './testing/server.ts';

interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly message: string;
  readonly requestId: string;
  readonly [member: string]: unknown;
}

type Request = string | InjectOptions;

async function problem(t: TestContext, request: Request) {
  const server = await testServer(t);
  const response = await server.app.inject(request);
  assert.match(String(response.headers['content-type']), /^application\/problem\+json/);
  const body = response.json<ProblemBody>();
  assert.equal(body.status, response.statusCode);
  assert.equal(body.detail, body.message);
  return { ...server, response, body };
}

const post = (payload: string, headers: Record<string, string> = {}) =>
  ({
    method: 'POST',
    url: '/sample/numbers',
    payload,
    headers: { 'content-type': 'application/json', authorization: 'alice', ...headers },
  }) as const;

test('a ClientError is an RFC 9457 problem document with message, members, headers and request id', async (t) => {
  const { response, body } = await problem(t, '/sample/refused');
  const { requestId, ...rest } = body;
  assert.match(requestId, /^[0-9a-f]{10}-[0-9a-z]+$/);
  assert.deepEqual(rest, {
    id: 7,
    type: 'about:blank',
    title: 'Conflict',
    status: 409,
    detail: 'Not twice.',
    message: 'Not twice.',
  });
  assert.equal(response.headers['retry-after'], '3');
});

test('[SPEC 9] a fault tells the client nothing but the request id, which is in the log', async (t) => {
  const { response, body, logged } = await problem(t, '/sample/broken?secret=1');
  assert.equal(response.statusCode, 500);
  assert.doesNotMatch(response.body, /hunter2|password/);
  assert.equal(logged.length, 1);
  assert.equal(logged[0]?.requestId, body.requestId);
  assert.equal(logged[0]?.path, '/sample/broken');
  assert.match(JSON.stringify(logged[0]?.err), /hunter2/);
});

test("[SPEC 9] PostgreSQL errors never carry their text; data errors are the client's, others the server's", async (t) => {
  const statuses: [string, number][] = [
    ['22003', 400],
    ['23502', 400],
    ['23503', 409],
    ['23505', 409],
    ['23514', 400],
    ['23P01', 409],
    ['40001', 503],
    ['40P01', 503],
    ['53300', 503],
    ['57P01', 503],
    ['08006', 503],
    ['42601', 500],
    ['42501', 500],
    ['XX000', 500],
  ];
  const { app } = await testServer(t);
  for (const [code, status] of statuses) {
    const response = await app.inject(`/sample/sql?code=${code}`);
    assert.equal(response.statusCode, status, code);
    assert.doesNotMatch(response.body, /secrets/);
    assert.ok(response.json<ProblemBody>().message.length > 10);
    if (status === 503) assert.equal(response.headers['retry-after'], '1');
  }
});

test('a path without a route is 404 with a hint, a known path with another method 405 with Allow', async (t) => {
  assert.match((await problem(t, '/nowhere')).body.message, /listed at \/docs/);
  assert.equal((await problem(t, '/sample/numbers/7')).response.statusCode, 404);
  const { response, body } = await problem(t, { method: 'DELETE', url: '/sample/numbers?x=1' });
  assert.equal(response.statusCode, 405);
  assert.equal(response.headers.allow, 'GET, HEAD, POST');
  assert.equal(body.message, 'This path takes GET, HEAD, POST, not DELETE.');
});

test('Allow has the methods of the route that a path is, not of those whose parameter could be it', async (t) => {
  const answer = async () => 'here';
  const routes = (app: FastifyInstance) => {
    app.post('/', answer).get('', answer);
    app.get('/:id', answer).delete('/:id', answer).patch('/:id/parts', answer);
    app.get('/list', answer).get('/list/:id', answer);
  };
  const { app } = await testServer(t, {}, { services: [{ name: 'rows', title: 'Rows', routes }] });
  for (const [path, methods] of [
    ['/rows', 'GET, HEAD, POST'],
    ['/rows/', 'GET, HEAD, POST'], // the page is here
    ['/rows/7', 'DELETE, GET, HEAD'],
    ['/rows/7/parts', 'PATCH'],
    ['/rows/list', 'GET, HEAD'],
    ['/rows/list/7', 'GET, HEAD'],
  ] as const) {
    const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: path });
    assert.deepEqual([path, statusCode, headers.allow], [path, 405, methods]);
  }
});

test('a missing static file is 404, not a wrong method', async (t) => {
  assert.equal((await problem(t, '/favicon.ico')).response.statusCode, 404);
  assert.equal((await problem(t, '/assets/none.js')).response.statusCode, 404);
});

test('bodies: malformed 400, empty 400, too large 413, not JSON 415, each saying what to do', async (t) => {
  const cases: [ReturnType<typeof post>, number, RegExp][] = [
    [post('{"score":'), 400, /not valid JSON/],
    [post('{"__proto__":{"score":1}}'), 400, /not valid JSON/],
    [post('', { 'content-length': '0' }), 400, /body is empty/],
    [post(''), 400, /must be a JSON object/],
    [post(JSON.stringify({ score: 1, note: 'x'.repeat(70_000) })), 413, /too large/],
    [post('score=1', { 'content-type': 'application/x-www-form-urlencoded' }), 415, /Content-Type: application\/json/],
    [post('{"score":1}', { 'content-type': 'text/plain' }), 415, /Content-Type: application\/json/],
  ];
  for (const [request, status, message] of cases) {
    const { response, body } = await problem(t, request);
    assert.equal(response.statusCode, status, message.source);
    assert.match(body.message, message);
  }
});

test('what a schema refuses names the member, the place and what is expected; bodies are not coerced', async (t) => {
  const messages: [Request, string][] = [
    [post('{}'), '"score" is missing in the body.'],
    [post('[]'), 'What is sent in the body must be a JSON object.'],
    [post('{"score":1.5}'), '"score" in the body must be of type integer or be of type string.'],
    [post('{"score":true}'), '"score" in the body must be of type integer or be of type string.'],
    ['/sample/numbers?limit=ten', '"limit" in the query must be of type integer.'],
    ['/sample/numbers?limit=', '"limit" in the query must be of type integer.'],
    ['/sample/numbers?limit=0', '"limit" in the query must be at least 1.'],
    ['/sample/numbers?limit=1e2', '"limit" in the query must be of type integer.'],
    ['/sample/numbers?limit=101', '"limit" in the query must be at most 100.'],
    ['/sample/numbers?limit=1&limit=2', '"limit" in the query must be of type integer.'],
  ];
  for (const [request, message] of messages) {
    const { response, body } = await problem(t, request);
    assert.equal(response.statusCode, 400);
    assert.equal(body.message, message);
  }
});

test('a path that is no URL, or too long a part of it, is a problem document too', async (t) => {
  assert.match((await problem(t, '/%zz')).body.message, /percent-encoding/);
  const { response } = await problem(t, `/sample/numbers/${'x'.repeat(300)}/stream`);
  assert.ok(response.statusCode >= 400 && response.statusCode < 500);
});

test('what is no HTTP at all, or has too large headers, is answered on the socket', async (t) => {
  const { listen } = await testServer(t);
  const port = await listen();
  const send = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(bytes);
    return text(socket);
  };
  assert.match(
    await send('HELLO\r\n\r\n'),
    /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*"message":"This is not a valid HTTP request\."/,
  );
  const large = await send(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 [\s\S]*less than 16 KiB/);
});

test('a client that goes away while it sends harms nobody', async (t) => {
  const { listen, app } = await testServer(t);
  const port = await listen();
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) =>
    socket.write('POST /sample/numbers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"s', resolve),
  );
  socket.resetAndDestroy();
  assert.equal((await app.inject('/healthz')).statusCode, 200);
});
