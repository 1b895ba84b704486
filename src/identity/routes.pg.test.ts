import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fastify from 'fastify';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { ClientError } from '../record/errors.ts';
import { silent } from '../record/log.ts';
import { testDatabase } from '../testing/database.ts';
import { type IdentityConfig, openIdentity } from './open.ts';
import { registerIdentityRoutes } from './routes.ts';

const ann = { username: 'ann', password: 'Secret123', email: 'ann@example.org' };

async function open(t: TestContext, config: Partial<IdentityConfig> = {}) {
  const { record } = await testDatabase(t);
  const passwords = { cost: { memory: 64, passes: 1 } };
  const identity = await openIdentity({
    record,
    log: silent,
    passwords,
    config: { issuerUrl: 'http://localhost', ...config },
  });
  const app = fastify();
  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => {
    const status = error instanceof ClientError ? error.status : (error.statusCode ?? 500);
    reply.code(status).send({ message: error.message });
  });
  const limited: string[] = [];
  registerIdentityRoutes(app, identity, { onRequest: async ({ url }) => void limited.push(url) });
  t.after(() => Promise.all([app.close(), identity.close()]));
  const call = async (url: string, body?: unknown, authorization?: string) => {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = authorization === undefined ? {} : { authorization };
    const response = await app.inject({ method, url, payload: body as object, headers });
    return { status: response.statusCode, body: response.json(), headers: response.headers };
  };
  return { call, limited };
}

test('an account over HTTP, from sign-up to logout', async (t) => {
  const { call, limited } = await open(t);
  const created = await call('/identity/users', ann);
  const me = { sub: created.body.sub, username: 'ann', email: 'ann@example.org', roles: [] };
  assert.deepEqual([created.status, created.body], [200, me]);
  assert.equal((await call('/identity/users', ann)).status, 409);
  const login = await call('/identity/login', ann);
  assert.equal(login.headers['cache-control'], 'no-store');
  const { idToken, refreshToken } = login.body;
  for (const header of [idToken, `Bearer ${idToken}`])
    assert.deepEqual((await call('/identity/me', undefined, header)).body, me);
  const refreshed = await call('/identity/refresh', { refreshToken });
  assert.deepEqual(Object.keys(refreshed.body).sort(), ['accessToken', 'expiresIn', 'idToken', 'refreshToken']);
  assert.equal((await call('/identity/logout/everywhere', {}, idToken)).status, 200);
  assert.deepEqual(await call('/identity/me', undefined, idToken).then(({ body }) => body), {
    message: 'invalid token',
  });
  assert.deepEqual((await call('/identity/me')).body, { message: 'jwt must be provided' });
  assert.equal((await call('/identity/refresh', { refreshToken: refreshed.body.refreshToken })).status, 401);
  assert.equal((await call('/identity/confirm', { username: 'ann', code: 'x' })).status, 404);
  assert.deepEqual([...new Set(limited)], ['/identity/users', '/identity/login', '/identity/confirm']);
});

test('logging out ends this session and no other', async (t) => {
  const { call } = await open(t);
  await call('/identity/users', ann);
  const [here, elsewhere] = [(await call('/identity/login', ann)).body, (await call('/identity/login', ann)).body];
  assert.equal((await call('/identity/logout', { refreshToken: here.refreshToken })).status, 200);
  assert.equal((await call('/identity/refresh', { refreshToken: here.refreshToken })).status, 401);
  assert.equal((await call('/identity/refresh', { refreshToken: elsewhere.refreshToken })).status, 200);
  assert.equal((await call('/identity/logout', { refreshToken: here.refreshToken })).status, 200, 'twice is once');
});

test('a token verifies by the published documents alone', async (t) => {
  const { call } = await open(t);
  await call('/identity/users', ann);
  const { idToken } = (await call('/identity/login', ann)).body;
  const discovery = (await call('/.well-known/openid-configuration')).body;
  const jwks = await call(new URL(discovery.jwks_uri).pathname);
  assert.match(String(jwks.headers['cache-control']), /max-age=300/);
  const options = {
    issuer: discovery.issuer,
    audience: 'lockstep',
    algorithms: discovery.id_token_signing_alg_values_supported,
  };
  const { payload } = await jwtVerify(idToken, createLocalJWKSet(jwks.body), options);
  assert.equal(payload['cognito:username'], 'ann');
});

test('[SPEC 9] bad input on every route is 4xx with a message', async (t) => {
  const { call } = await open(t);
  const junk = [
    {},
    [],
    'text',
    { username: 1, password: {}, email: [] },
    { username: 'a\0', password: 'x', email: 'x', code: '', refreshToken: '\0' },
  ];
  const routes = ['users', 'login', 'refresh', 'logout', 'logout/everywhere', 'confirm', 'confirm/resend'];
  for (const route of routes) {
    for (const body of [...junk, { username: 'x'.repeat(2000), refreshToken: 'x'.repeat(2000) }]) {
      const response = await call(`/identity/${route}`, body);
      assert.ok(
        response.status >= 400 && response.status < 500,
        `${route} ${JSON.stringify(body)}: ${response.status}`,
      );
      assert.ok(response.body.message.length > 0);
    }
  }
});

test('with an external issuer every account route is 404 and names it', async (t) => {
  const { call } = await open(t, { externalIssuer: 'https://issuer.test' });
  for (const [route, body] of [
    ['/identity/users', ann],
    ['/identity/login', ann],
    ['/identity/refresh', { refreshToken: 'x' }],
    ['/.well-known/jwks.json', undefined],
  ] as const) {
    const response = await call(route, body);
    assert.deepEqual([response.status, /https:\/\/issuer\.test/.test(response.body.message)], [404, true], route);
  }
});
