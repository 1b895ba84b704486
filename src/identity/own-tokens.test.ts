import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import type { SigningKey } from './keyring.ts';
import { OwnTokens, type Subject } from './own-tokens.ts';
import { Verifier } from './verifier.ts';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const own: SigningKey = { kid: 'own', activeFrom: 0, ...rsa() };
const keyring = { current: own, find: (kid: string | undefined) => (kid === 'own' ? own : undefined) };
const issuer = 'https://lockstep.test';
const START = 1_700_000_000;

const ann: Subject = {
  sub: '0198a000-0000-7000-8000-000000000001',
  username: 'Ann',
  email: 'ann@example.org',
  emailVerified: true,
  roles: ['admin'],
  generation: 3,
  authTime: (START - 60) * 1e6,
};

function setUp(options: { maxTokens?: number; isAlive?: () => boolean } = {}) {
  const time = { now: START * 1e6, checks: 0 };
  const clock = () => time.now;
  const tokens = new OwnTokens({ keyring, issuer, audience: 'lockstep', clock });
  const check = (token: string) => {
    time.checks++;
    return tokens.check(token);
  };
  return { time, tokens, verifier: new Verifier({ check, clock, ...options }) };
}

function forge(claims: JWTPayload, { key = own.privateKey, header = {} }: { key?: KeyObject; header?: object } = {}) {
  const payload = { sub: 'x', iss: issuer, aud: 'lockstep', token_use: 'id', iat: START, exp: START + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'own', ...header }).sign(key);
}

const invalid = { status: 401, message: 'invalid token' };

test('the claims of ID and access tokens are those the contract names', async () => {
  const { tokens } = setUp();
  const { idToken, accessToken, expiresIn } = await tokens.issue(ann);
  const times = { iat: START, auth_time: START - 60, exp: START + 3600 };
  const shared = { sub: ann.sub, iss: issuer, 'cognito:groups': ['admin'], 'lockstep:generation': 3, ...times };
  assert.equal(expiresIn, 3600);
  assert.deepEqual(decodeProtectedHeader(idToken), { alg: 'RS256', kid: 'own', typ: 'JWT' });
  assert.deepEqual(decodeJwt(idToken), {
    ...shared,
    token_use: 'id',
    aud: 'lockstep',
    'cognito:username': 'Ann',
    email: 'ann@example.org',
    email_verified: true,
  });
  const access = { token_use: 'access', client_id: 'lockstep', scope: 'openid', username: 'Ann' };
  assert.deepEqual(decodeJwt(accessToken), { ...shared, ...access });
});

test('a token is checked once, then verified synchronously until it expires', async () => {
  const { time, tokens, verifier } = setUp();
  const { idToken, accessToken } = await tokens.issue(ann);
  const user = { sub: ann.sub, username: 'Ann', email: 'ann@example.org', roles: ['admin'] };
  assert.deepEqual(await verifier.verify(idToken), user);
  assert.deepEqual(verifier.verify(idToken), user);
  assert.deepEqual(await verifier.verify(accessToken), { ...user, email: null });
  assert.equal(time.checks, 2);
  time.now += 3599 * 1e6;
  assert.deepEqual(verifier.verify(idToken), user);
  time.now += 1e6;
  assert.throws(() => verifier.verify(idToken), { status: 401, message: 'jwt expired' });
  await assert.rejects(async () => setUp().verifier.verify(await forge({ exp: START })), { message: 'jwt expired' });
});

test('no token is "jwt must be provided"', () => {
  const { verifier } = setUp();
  for (const nothing of [undefined, '']) {
    assert.throws(() => verifier.verify(nothing), { status: 401, message: 'jwt must be provided' });
  }
});

test('[SPEC 9] algorithm confusion: "none", and HS256 with the public key as its secret', async () => {
  const { tokens, verifier } = setUp();
  const { idToken } = await tokens.issue(ann);
  const payload = idToken.split('.')[1]!;
  const encode = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url');
  for (const alg of ['none', 'None', 'NONE']) {
    const head = encode({ alg, kid: 'own' });
    for (const signature of ['', idToken.split('.')[2]]) {
      await assert.rejects(async () => verifier.verify(`${head}.${payload}.${signature}`), invalid);
    }
  }
  const signed = `${encode({ alg: 'HS256', kid: 'own' })}.${payload}`;
  for (const secret of [
    own.publicKey.export({ type: 'spki', format: 'pem' }),
    own.publicKey.export({ type: 'spki', format: 'der' }),
    own.publicKey.export({ type: 'pkcs1', format: 'pem' }),
  ]) {
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    await assert.rejects(async () => verifier.verify(`${signed}.${mac}`), invalid);
  }
});

test('[SPEC 9] another key, also one the token brings along, and wrong kid, iss, aud, client_id, token_use', async () => {
  const { verifier } = setUp();
  const stranger = rsa();
  const jwk = { ...stranger.publicKey.export({ format: 'jwk' }), kid: 'own' };
  const forged = [
    forge({}, { key: stranger.privateKey }),
    forge({}, { key: stranger.privateKey, header: { jwk } }),
    forge({}, { header: { kid: 'other' } }),
    forge({}, { header: { kid: undefined } }),
    forge({}, { header: { alg: 'RS512' } }),
    forge({}, { header: { alg: 'PS256' } }),
    forge({ iss: 'https://other.test' }),
    forge({ iss: undefined }),
    forge({ aud: 'other' }),
    forge({ aud: undefined }),
    forge({ token_use: 'access' }),
    forge({ token_use: 'access', aud: undefined, client_id: 'other' }),
    forge({ token_use: 'refresh', client_id: 'lockstep' }),
    forge({ token_use: undefined }),
    forge({ sub: undefined }),
    forge({ exp: undefined }),
    forge({ nbf: START + 60 }),
  ];
  for (const [i, token] of forged.entries()) {
    await assert.rejects(async () => verifier.verify(await token), invalid, `number ${i}`);
  }
  assert.equal(((await verifier.verify(await forge({}))) as { sub: string }).sub, 'x');
});

test('[SPEC 9] a token with any character changed, cut or added is invalid, and nothing but 401 comes of it', async () => {
  const { tokens, verifier } = setUp();
  const { idToken } = await tokens.issue(ann);
  await verifier.verify(idToken);
  const index = fc.nat({ max: idToken.length - 1 });
  const tampered = fc.oneof(
    fc
      .tuple(index, fc.string({ minLength: 1, maxLength: 1 }))
      .map(([i, c]) => idToken.slice(0, i) + c + idToken.slice(i + 1)),
    index.map((i) => idToken.slice(0, i)),
    fc.string({ minLength: 1, maxLength: 3 }).map((text) => idToken + text),
    fc.string({ unit: 'binary', minLength: 1 }),
  );
  await fc.assert(
    fc.asyncProperty(tampered, async (token) => {
      // The last character of a signature holds bits that base64 ignores.
      if (token.length === idToken.length && token.slice(0, -1) === idToken.slice(0, -1)) return;
      await assert.rejects(async () => verifier.verify(token), { status: 401 });
    }),
    { numRuns: 300 },
  );
  for (const token of [`${idToken}==`, `${idToken}\n`, ` ${idToken}`, 'x'.repeat(100_000)]) {
    await assert.rejects(async () => verifier.verify(token), invalid);
  }
});

test('[SPEC 8] remembered tokens are bounded; the used ones stay', async () => {
  const { time, verifier } = setUp({ maxTokens: 10 });
  const used = await forge({ jti: 'used' });
  for (let i = 0; i < 40; i++) {
    await verifier.verify(await forge({ jti: String(i) }));
    await verifier.verify(used);
    assert.ok(verifier.size <= 10);
  }
  assert.equal(time.checks, 41);
});

test('a token ended before its time is invalid, remembered or not', async () => {
  let alive = true;
  const { verifier } = setUp({ isAlive: () => alive });
  const token = await forge({});
  await verifier.verify(token);
  alive = false;
  assert.throws(() => verifier.verify(token), invalid);
  await assert.rejects(async () => verifier.verify(await forge({ jti: 'new' })), invalid);
});
