import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { longBody } from './long-body.ts';
import { testServer } from './testing/server.ts';

const REQUEST_MS = 200;
/** More than twice the time that the server gives a request, in pieces. */
const [PIECES, PIECE_MS] = [10, 60];

/** Tells of the request to `/watched`: `begun` with each chunk, `ended` with its error. */
const watched = new EventEmitter();

function routes(app: FastifyInstance): void {
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
  app.post('/long', async (request) => {
    let bytes = 0;
    for await (const chunk of longBody(request, { windowMs: 2 * REQUEST_MS })) bytes += chunk.length;
    return { bytes };
  });
  app.post('/first', async (request) => {
    for await (const chunk of longBody(request)) return { bytes: chunk.length };
  });
  app.post('/bounded', async (request) => {
    for await (const _ of longBody(request, { totalMs: REQUEST_MS }));
  });
  app.post('/watched', async (request) => {
    try {
      for await (const _ of longBody(request)) watched.emit('begun');
    } catch (error) {
      watched.emit('ended', error);
    }
  });
  app.post('/plain', async () => ({}));
}

test('[SPEC 8] a body may take longer than the server gives a request, where the route reads it as it comes', async (t) => {
  const services = [{ name: 'bodies', title: 'Long bodies', routes }];
  const server = await testServer(t, {}, { services, limits: { requestMs: REQUEST_MS } });
  const port = await server.listen();
  const send = async (path: string, type: string, pieces: number, piece: string) => {
    const headers = { 'content-type': type };
    const sent = request({ port, host: '127.0.0.1', path: `/bodies${path}`, method: 'POST', headers });
    sent.on('error', () => {}); // the server may hang up on what is still being sent
    const answered = once(sent, 'response', { signal: AbortSignal.timeout(10_000) });
    for (let i = 0; i < pieces && !sent.destroyed && !sent.writableEnded; i++) {
      sent.write(piece);
      await Promise.race([answered, sleep(PIECE_MS)]);
    }
    if (pieces === PIECES) sent.end();
    const [answer] = await answered;
    let text = '';
    for await (const chunk of answer) text += chunk;
    sent.destroy();
    return { status: answer.statusCode as number, body: JSON.parse(text) as { bytes?: number; message?: string } };
  };
  const big = 'x'.repeat(60_000);

  await t.test('as long as enough of it comes', async () => {
    const { status, body } = await send('/long', 'text/csv', PIECES, big);
    assert.deepEqual([status, body], [200, { bytes: PIECES * big.length }]);
  });

  await t.test('but not when next to nothing comes, or nothing', async () => {
    for (const pieces of [100, 1]) {
      const { status, body } = await send('/long', 'text/csv', pieces, 'x');
      assert.equal(status, 408);
      assert.match(body.message!, /^The body comes too slowly: less than 262144 bytes in 0\.4 s\.$/);
    }
  });

  await t.test('nor for ever, however much comes', async () => {
    const { status, body } = await send('/bounded', 'text/csv', 100, big);
    assert.equal(status, 408);
    assert.match(body.message!, /^The body takes too long: it is not whole after 0\.2 s\.$/);
  });

  await t.test('a client that goes away in the middle is no fault of the server', async () => {
    const headers = { 'content-type': 'text/csv' };
    const sent = request({ port, host: '127.0.0.1', path: '/bodies/watched', method: 'POST', headers });
    sent.on('error', () => {});
    sent.write(big);
    await once(watched, 'begun');
    sent.destroy();
    const [error] = await once(watched, 'ended');
    assert.deepEqual([error.status, error.message], [400, 'The body ended before it was whole.']);
  });

  await t.test('other routes keep to the limit', async () => {
    const { status, body } = await send('/plain', 'application/json', PIECES * 2, ' ');
    assert.deepEqual([status, body.message], [408, 'The request took too long to arrive.']);
  });

  await t.test('what is refused before its end is answered', async () => {
    const { status, body } = await send('/first', 'text/csv', PIECES, 'ab');
    assert.deepEqual([status, body], [200, { bytes: 2 }]);
  });
});
