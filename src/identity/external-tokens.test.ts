import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { silent } from '../record/log.ts';
import { ExternalIdentity } from './external-identity.ts';
import { ExternalTokens } from './external-tokens.ts';
import type { User } from './identity.ts';
import { Verifier } from './verifier.ts';

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

const NOW = 1_700_000_000;

/** An OIDC issuer on a local port: discovery, JWKS, and a count of requests. */
async function issuer(t: TestContext) {
  const keys = new Map<string, { alg: string; pair: Keys }>();
  const state = { url: '', requests: [] as string[], down: false, name: undefined as string | undefined };
  const server = createServer(async (request, response) => {
    state.requests.push(request.url!);
    if (state.down) return void response.writeHead(500).end();
    const jwks = [...keys].map(async ([kid, { alg, pair }]) => ({
      ...(await exportJWK(pair.publicKey)),
      kid,
      alg,
      use: 'sig',
    }));
    const body = request.url?.endsWith('/keys')
      ? { keys: await Promise.all(jwks) }
      : { issuer: state.name ?? state.url, jwks_uri: `${state.url}/keys` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/games`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const addKey = async (kid: string, alg: 'RS256' | 'ES256' | 'PS256') => {
    keys.set(kid, { alg, pair: await generateKeyPair(alg) });
  };
  const sign = (claims: JWTPayload, kid = 'rsa') => {
    const { alg, pair } = keys.get(kid)!;
    return new SignJWT({ iss: state.url, sub: 's1', iat: NOW, exp: NOW + 300, ...claims })
      .setProtectedHeader({ alg, kid })
      .sign(pair.privateKey);
  };
  await addKey('rsa', 'RS256');
  return { state, addKey, sign };
}

function open(url: string, options: { audience?: string; coolDown?: { keys: number; failure: number } } = {}) {
  const time = { now: NOW * 1e6 };
  const clock = () => time.now;
  const tokens = new ExternalTokens({ issuer: url, log: silent, clock, ...options });
  const verifier = new Verifier({ check: (token) => tokens.check(token), clock });
  return { time, identity: new ExternalIdentity({ issuer: url, verifier }) };
}

const invalid = { status: 401, message: 'invalid token' };

test("Cognito's and Keycloak's tokens become users, with their roles", async (t) => {
  const { state, sign } = await issuer(t);
  const { identity } = open(`${state.url}/`);
  const verify = async (claims: JWTPayload) => (await identity.verify(await sign(claims))) as User;
  const cognito = {
    token_use: 'id',
    aud: 'app',
    'cognito:username': 'ann',
    email: 'a@b.de',
    'cognito:groups': ['admin'],
  };
  assert.deepEqual(await verify(cognito), { sub: 's1', username: 'ann', email: 'a@b.de', roles: ['admin'] });
  assert.equal((await verify({ token_use: 'access', client_id: 'app', username: 'ann' })).username, 'ann');
  const keycloak = {
    typ: 'Bearer',
    preferred_username: 'bob',
    realm_access: { roles: ['admin', 'x'] },
    roles: ['x', 7],
  };
  assert.deepEqual(await verify(keycloak), { sub: 's1', username: 'bob', email: null, roles: ['x', 'admin'] });
  assert.equal(await identity.nameOf('Bob'), 'Bob', 'whoever is an account there');
  assert.deepEqual(await verify({ roles: 'admin' }), { sub: 's1', username: 's1', email: null, roles: [] });
  assert.deepEqual(state.requests, ['/realms/games/.well-known/openid-configuration', '/realms/games/keys']);
});

test('ES256 is fine; other uses, issuers, keys, algorithms and expired tokens are not', async (t) => {
  const { state, sign, addKey } = await issuer(t);
  await addKey('ec', 'ES256');
  const { identity } = open(state.url);
  await identity.verify(await sign({}, 'ec'));
  for (const claims of [
    { iss: 'https://other.test' },
    { sub: undefined },
    { exp: undefined },
    { token_use: 'refresh' },
    { typ: 'Logout' },
  ]) {
    await assert.rejects(async () => identity.verify(await sign(claims)), invalid);
  }
  await assert.rejects(async () => identity.verify(await sign({ exp: NOW - 6 })), {
    status: 401,
    message: 'jwt expired',
  });
  await addKey('pss', 'PS256');
  const other = open(state.url).identity;
  await assert.rejects(async () => other.verify(await sign({}, 'pss')), invalid);
  const secret = new TextEncoder().encode('x'.repeat(32));
  const hmac = await new SignJWT({ iss: state.url, sub: 's', exp: NOW + 9 })
    .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
    .sign(secret);
  await assert.rejects(async () => identity.verify(hmac), invalid);
});

test('an audience, once asked for, must be in "aud"; Cognito\'s access tokens have it in "client_id"', async (t) => {
  const { state, sign } = await issuer(t);
  const { identity } = open(state.url, { audience: 'app' });
  for (const claims of [{ aud: 'app' }, { aud: ['other', 'app'] }, { client_id: 'app' }])
    await identity.verify(await sign(claims));
  for (const claims of [
    {},
    { aud: 'other' },
    { aud: ['other'], client_id: 'app' },
    { client_id: 'other' },
    { azp: 'app' },
  ]) {
    await assert.rejects(async () => identity.verify(await sign(claims)), invalid);
  }
});

test("the issuer's new key is fetched when a token names it; unknown keys are not asked for again and again", async (t) => {
  const { state, sign, addKey } = await issuer(t);
  const { identity } = open(state.url, { coolDown: { keys: 0, failure: 0 } });
  await identity.verify(await sign({}));
  await addKey('next', 'RS256');
  await identity.verify(await sign({}, 'next'));
  const patient = open(state.url, { coolDown: { keys: 3600, failure: 0 } }).identity;
  await patient.verify(await sign({}));
  const before = state.requests.length;
  await addKey('unknown', 'RS256');
  for (let i = 0; i < 5; i++)
    await assert.rejects(async () => patient.verify(await sign({ jti: String(i) }, 'unknown')), invalid);
  assert.equal(state.requests.length, before);
});

test('an issuer that fails is 503, is left alone for a while, and is tried again', async (t) => {
  const { state, sign } = await issuer(t);
  const { identity, time } = open(state.url);
  const token = await sign({});
  state.down = true;
  for (let i = 0; i < 3; i++) {
    await assert.rejects(async () => identity.verify(token), { status: 503, message: new RegExp(state.url) });
  }
  assert.equal(state.requests.length, 1);
  state.down = false;
  await assert.rejects(async () => identity.verify(token), { status: 503 });
  time.now += 5e6;
  await identity.verify(token);
  state.down = true;
  await identity.verify(token);
});

test('a discovery document that names another issuer is not believed', async (t) => {
  const { state, sign } = await issuer(t);
  state.name = 'https://other.test';
  await assert.rejects(async () => open(state.url).identity.verify(await sign({})), { status: 503 });
});

test("accounts are the issuer's: everything else is 404 and says where", async () => {
  const { identity } = open('https://issuer.test');
  const calls = [
    identity.signUp(),
    identity.login(),
    identity.refresh(),
    identity.logout(),
    identity.logoutEverywhere(),
    identity.confirm(),
    identity.grant(),
  ];
  for (const call of calls)
    await assert.rejects(call, { status: 404, message: /^Accounts are kept by https:\/\/issuer\.test; / });
  assert.throws(() => identity.jwks(), { status: 404 });
  assert.throws(() => identity.discovery(), { status: 404 });
  assert.equal(identity.external, true);
});
