import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from 'jose';
import { ClientError } from '../record/errors.ts';
import { bearer, Verifier } from './verifier.ts';

test('the token comes bare or after "Bearer ", in any case', () => {
  for (const header of ['a.b.c', 'Bearer a.b.c', 'bearer a.b.c', 'BEARER  a.b.c '])
    assert.equal(bearer(header), 'a.b.c');
  for (const header of [undefined, '', ' ', 'Bearer', 'Bearer ', 'bearer  ']) assert.equal(bearer(header), undefined);
});

test('every failure of a token is 401 with a challenge; other failures pass through', async () => {
  const outcomes: [unknown, object][] = [
    [new errors.JWTExpired('', {}), { status: 401, message: 'jwt expired' }],
    [new errors.JWSSignatureVerificationFailed(), { status: 401, message: 'invalid token' }],
    [new ClientError(503, 'try again'), { status: 503, message: 'try again' }],
    [new Error('a fault of ours'), { message: 'a fault of ours' }],
  ];
  for (const [cause, expected] of outcomes) {
    const verifier = new Verifier({ check: () => Promise.reject(cause), clock: () => 0 });
    await assert.rejects(async () => verifier.verify('h.p.s'), expected);
    assert.equal(verifier.size, 0);
  }
  const verifier = new Verifier({ check: () => Promise.reject(new errors.JWTInvalid()), clock: () => 0 });
  await assert.rejects(async () => verifier.verify('h.p.s'), {
    headers: { 'www-authenticate': 'Bearer error="invalid_token", error_description="invalid token"' },
  });
  assert.throws(() => verifier.verify(undefined), { headers: { 'www-authenticate': 'Bearer' } });
});

test('a token is known only as a whole: another one with the same signature is not', async () => {
  const user = { sub: '1', username: 'ann', email: null, roles: [] };
  const genuine = `h.ann.${'s'.repeat(40)}`;
  const check = async (token: string) => {
    if (token !== genuine) throw new errors.JWSSignatureVerificationFailed();
    return { user, expiresAt: 1 };
  };
  const verifier = new Verifier({ check, clock: () => 0 });
  for (let i = 0; i < 2; i++) assert.equal(await verifier.verify(genuine), user);
  await assert.rejects(async () => verifier.verify(genuine.replace('ann', 'bob')), { status: 401 });
  assert.equal(verifier.verify(genuine), user);
});
