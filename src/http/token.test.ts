import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { User } from '../identity/identity.ts';
import { ClientError } from '../record/errors.ts';
import { Session } from './token.ts';

const userOf = (username: string): User => ({ sub: username, username, email: null, roles: [] });
const ended = () => new ClientError(401, 'jwt expired');

/** Verifies each token as the test says. */
function session() {
  const answers = new Map<string, () => Promise<User>>();
  const identity = { verify: (token?: string) => answers.get(token!)!() };
  return { session: new Session(identity), answers };
}

test('[SPEC 9] a token that has run out is told of once, and its user is gone', async () => {
  const { session: at, answers } = session();
  answers.set('old', async () => userOf('ann'));
  await at.use('old');
  assert.equal(await at.isValid(), true);
  answers.set('old', () => Promise.reject(ended()));
  assert.equal(await at.isValid(), false);
  assert.equal(at.user, null);
  assert.equal(await at.isValid(), true, 'nobody is signed in');
});

test('[SPEC 9] the end of a token does not touch the one that came while it was asked for', async () => {
  const { session: at, answers } = session();
  answers.set('old', async () => userOf('ann'));
  answers.set('new', async () => userOf('ann'));
  await at.use('old');
  const asked = Promise.withResolvers<User>();
  answers.set('old', () => asked.promise);
  const valid = at.isValid();
  await at.use('new');
  asked.reject(ended());
  assert.equal(await valid, true);
  assert.equal(at.user?.username, 'ann');
  answers.set('new', () => Promise.reject(ended()));
  assert.equal(await at.isValid(), false, 'the new one is watched');
});

test('an issuer that does not answer says nothing of a token', async () => {
  const { session: at, answers } = session();
  answers.set('a', async () => userOf('ann'));
  await at.use('a');
  for (const error of [new ClientError(503, 'The issuer does not answer.'), new Error('away')]) {
    answers.set('a', () => Promise.reject(error));
    assert.equal(await at.isValid(), true);
  }
  answers.set('a', () => Promise.reject(ended()));
  assert.equal(await at.isValid(), false);
});
