import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from './testing/server.ts';

const post = (headers: Record<string, string>) =>
  ({ method: 'POST', url: '/identity/login', payload: { username: 'a', password: 'b' }, headers }) as const;

test('[SPEC 9] a write from a page of another origin is refused, from this one, a configured one or a program it passes', async (t) => {
  const { app } = await testServer(t, { corsOrigins: ['https://a.example'], publicUrl: 'https://lockstep.example' });
  const status = async (headers: Record<string, string>) => (await app.inject(post(headers))).statusCode;
  assert.equal(await status({}), 200);
  assert.equal(await status({ host: 'here:8080', origin: 'http://here:8080' }), 200);
  assert.equal(await status({ origin: 'https://a.example' }), 200);
  assert.equal(await status({ origin: 'https://lockstep.example' }), 200);
  for (const origin of ['https://evil.example', 'null', 'http://here:8081', 'https://a.example.evil']) {
    assert.equal(await status({ host: 'here:8080', origin }), 403, origin);
  }
  const refused = await app.inject(post({ origin: 'https://evil.example' }));
  assert.match(refused.json<{ message: string }>().message, /LOCKSTEP_CORS_ORIGINS/);
});

test('a forwarded host is believed from a trusted proxy only', async (t) => {
  const headers = { host: 'inner:8080', 'x-forwarded-host': 'outer.example', origin: 'https://outer.example' };
  for (const [trustProxy, status] of [
    [true, 200],
    [false, 403],
  ] as const) {
    const { app } = await testServer(t, { trustProxy });
    assert.equal((await app.inject(post(headers))).statusCode, status);
  }
});

test('reads from other origins are answered, and readable only by configured ones', async (t) => {
  const { app } = await testServer(t, { corsOrigins: ['https://a.example'] });
  const allowed = async (origin: string) =>
    (await app.inject({ url: '/healthz', headers: { origin } })).headers['access-control-allow-origin'];
  assert.equal(await allowed('https://a.example'), 'https://a.example');
  assert.equal(await allowed('https://b.example'), undefined);
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/sample/numbers',
    headers: {
      origin: 'https://a.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    },
  });
  assert.equal(preflight.statusCode, 204);
  assert.match(String(preflight.headers['access-control-allow-methods']), /POST/);
});

test('"*" lets every page in; nothing configured sets no header', async (t) => {
  const open = await testServer(t, { corsOrigins: ['*'] });
  const response = await open.app.inject(post({ origin: 'https://any.example' }));
  assert.deepEqual([response.statusCode, response.headers['access-control-allow-origin']], [200, '*']);
  const closed = await testServer(t);
  assert.equal((await closed.app.inject('/healthz')).headers['access-control-allow-origin'], undefined);
});
