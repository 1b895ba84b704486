import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TestServer, testServer } from './testing/server.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'] as const;
const ROUTES = [
  '/sample/numbers',
  '/sample/numbers/a/stream',
  '/identity/login',
  '/identity/refresh',
  '/live',
  '/docs/json',
  '/assets/',
  '',
];
const HEADERS = [
  'authorization',
  'lockstep-min-position',
  'lockstep-wait',
  'idempotency-key',
  'last-event-id',
  'content-type',
  'origin',
  'x-forwarded-for',
  'accept',
];

const printable = fc.string({ unit: fc.constantFrom(...'abz019%/?&=.:;,+-_~ "\'<>{}[]()\\|^`$#@!*'), maxLength: 60 });
/** Without what `inject` itself cannot send; the second test sends such paths over a connection. */
const path = fc
  .tuple(fc.constantFrom(...ROUTES), printable)
  .map(([route, rest]) => `${route}${rest.startsWith('/') || route ? rest : `/${rest}`}`)
  .filter((each) => URL.canParse(each, 'http://localhost'));
const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc.anything().map((value) => JSON.stringify(value) ?? ''),
  fc.record({ score: fc.anything() }).map((value) => JSON.stringify(value) ?? ''),
);
const contentType = fc.constantFrom('application/json', 'text/plain', 'application/xml', 'multipart/form-data', '');
const headers = fc.dictionary(
  fc.constantFrom(...HEADERS),
  printable.map((value) => value.trim()),
);
const seconds = { interruptAfterTimeLimit: 5000, numRuns: 600 };

test('[SPEC 9] whatever is sent is answered, never with a fault; every refusal says what is wrong', async (t) => {
  const server = await testServer(t, { rateLimit: 0 });
  const request = fc.record({
    method: fc.constantFrom(...METHODS),
    url: path,
    headers,
    payload: body,
    type: contentType,
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, url, headers, payload, type }) => {
      if (/^\/sample\/numbers\/[^/?]+\/stream/.test(url) && method === 'GET') return;
      const sent =
        method === 'GET' || method === 'HEAD' ? {} : { payload, headers: { ...headers, 'content-type': type } };
      check(await server.app.inject({ method, url: `${url || '/'}`, headers, ...sent }), method, server);
    }),
    seconds,
  );
  assert.equal((await server.app.inject('/healthz')).statusCode, 200);
});

interface Answered {
  readonly statusCode: number;
  readonly body: string;
}

function check({ statusCode, body }: Answered, method: string, { logged }: TestServer): void {
  assert.ok(
    statusCode < 500 || body.includes('npm run build'),
    `${statusCode} ${body} ${JSON.stringify(logged.at(-1))}`,
  );
  if (statusCode < 400 || method === 'HEAD' || body.includes('npm run build')) return;
  const { message, status } = JSON.parse(body) as { message: unknown; status: unknown };
  assert.equal(status, statusCode);
  assert.ok(typeof message === 'string' && message.length > 10, body);
}

test('[SPEC 9] whatever bytes a connection sends, the server goes on', async (t) => {
  const server = await testServer(t, { rateLimit: 0 });
  const port = await server.listen();
  const request = (method: string, path: string, rest = '') =>
    Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${rest}\r\n`);
  const upgrade = 'upgrade: websocket\r\nconnection: upgrade\r\n';
  const route = fc.constantFrom(...ROUTES).map((each) => each || '/');
  const last = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    // A stream on a socket that was handed over goes on, whoever has stopped sending.
    route.filter((path) => !path.endsWith('/stream')).map((path) => request('GET', path, upgrade)),
    fc
      .tuple(fc.constantFrom(...METHODS), printable, printable)
      .map(([method, url, rest]) => request(method, `/${url.replaceAll(' ', '')}`, `${upgrade}${rest}\r\n`)),
  );
  // Before it, requests that do not wait for their answers.
  const first = fc.array(
    route.map((path) => request('GET', path)),
    { maxLength: 3 },
  );
  const bytes = fc.tuple(first, last).map(([before, after]) => Buffer.concat([...before, after]));
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.resume();
      await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
      await new Promise<void>((resolve) => socket.once('close', () => resolve()).end());
    }),
    { ...seconds, numRuns: 200 },
  );
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.deepEqual(server.logged, []);
});
