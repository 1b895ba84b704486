import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { decodeJwt } from 'jose';
import { silent } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import { MICROS_PER_DAY, nowMicros } from '../record/time.ts';
import { testDatabase } from '../testing/database.ts';
import type { User } from './identity.ts';
import { type IdentityConfig, type IdentityOptions, openIdentity } from './open.ts';
import { OwnIdentity } from './own-identity.ts';
import { MAX_SESSIONS, SESSION_DAYS } from './sessions.ts';

const cost = { memory: 64, passes: 1 };
const password = 'Secret123';
const address = '192.0.2.1';

/** A server on the record, with its own clock. */
async function openOn(
  t: TestContext,
  record: PgRecord,
  options: Partial<IdentityOptions> & { config?: Partial<IdentityConfig> } = {},
) {
  const time = { now: nowMicros() };
  const identity = await openIdentity({
    record,
    log: silent,
    passwords: { cost },
    clock: () => time.now,
    ...options,
    config: { issuerUrl: 'http://localhost:8080', ...options.config },
  });
  assert.ok(identity instanceof OwnIdentity);
  t.after(() => identity.close());
  const signUp = (username: string) => identity.signUp({ username, password, email: `${username}@example.org` });
  const login = (username: string) => identity.login({ username, password, address });
  return { identity, time, signUp, login };
}

async function open(t: TestContext) {
  const { record } = await testDatabase(t);
  return { record, ...(await openOn(t, record)) };
}

const refused = { status: 401, message: 'Incorrect username or password.' };
const ended = { status: 401, message: /refresh token is invalid, used or expired/ };

test('sign-up, login, verify; names are unique without regard to case, unconfirmed addresses are not', async (t) => {
  const { identity, signUp, login } = await open(t);
  const ann = await signUp('Ann');
  assert.deepEqual(ann, { sub: ann.sub, username: 'Ann', email: 'Ann@example.org', roles: [] });
  await assert.rejects(signUp('aNN'), { status: 409, message: /taken/ });
  await identity.signUp({ username: 'bob', password, email: 'ann@EXAMPLE.org' });
  const tokens = await login('ANN');
  assert.equal(tokens.expiresIn, 3600);
  assert.deepEqual(await identity.verify(tokens.idToken), ann);
  assert.deepEqual(await identity.verify(tokens.accessToken), { ...ann, email: null });
  await assert.rejects(async () => identity.verify(tokens.refreshToken), { status: 401, message: 'invalid token' });
  assert.deepEqual([await identity.nameOf('aNN'), await identity.nameOf('cat')], ['Ann', undefined]);
});

test('[SPEC 9] a wrong password and any unknown name get the same answer; bad accounts are 400', async (t) => {
  const { identity, signUp } = await open(t);
  await signUp('ann');
  for (const username of [
    'ann',
    'nobody',
    '',
    'a\0b',
    "'; drop table lockstep.users; --",
    '\ud800',
    'x'.repeat(10_000),
  ]) {
    await assert.rejects(
      identity.login({ username, password: 'Wrong1234', address }),
      refused,
      JSON.stringify(username),
    );
  }
  await assert.rejects(identity.signUp({ username: 'x y', password, email: 'x@example.org' }), { status: 400 });
  await assert.rejects(identity.signUp({ username: 'x', password: 'weak', email: 'x@example.org' }), { status: 400 });
  await assert.rejects(identity.signUp({ username: 'x', password, email: 'x' }), { status: 400 });
});

test('[SPEC 8] guessing is stopped with 429, for that account only, and time helps', async (t) => {
  const { identity, time, signUp, login } = await open(t);
  await signUp('ann');
  await signUp('bob');
  const guess = () => identity.login({ username: 'ann', password: 'Wrong1234', address });
  const guesses = await Promise.allSettled(Array.from({ length: 30 }, guess));
  const statuses = guesses.map((guess) => guess.status === 'rejected' && (guess.reason as { status: number }).status);
  assert.equal(statuses.filter((status) => status === 401).length, 20);
  assert.equal(statuses.filter((status) => status === 429).length, 10);
  await assert.rejects(login('ann'), { status: 429, headers: { 'retry-after': '30' } });
  await login('bob');
  time.now += 30e6;
  await login('ann');
});

test('[SPEC 8] a login that finds no place to be computed is 503, and is no guess', async (t) => {
  const { record } = await testDatabase(t);
  const { signUp, login } = await openOn(t, record);
  await signUp('ann');
  const full = await openOn(t, record, { passwords: { cost, concurrency: 0, maxQueued: 0 } });
  for (let i = 0; i < 25; i++)
    await assert.rejects(full.login('ann'), { status: 503, headers: { 'retry-after': '5' } });
  await login('ann');
});

test('a refresh token works once; the second use ends the session for both holders', async (t) => {
  const { identity, time, signUp, login } = await open(t);
  await signUp('ann');
  const first = await login('ann');
  const other = await login('ann');
  time.now += 60e6;
  const second = await identity.refresh(first.refreshToken);
  const [before, after] = [decodeJwt(first.idToken), decodeJwt(second.idToken)];
  assert.equal(after.auth_time, before.auth_time);
  assert.equal(after.iat, before.iat! + 60);
  const third = await identity.refresh(second.refreshToken);
  await assert.rejects(identity.refresh(first.refreshToken), ended);
  await assert.rejects(identity.refresh(third.refreshToken), ended);
  await identity.refresh(other.refreshToken);
});

test('one refresh token used many times at once: at most one answer, and the session has ended', async (t) => {
  const { identity, signUp, login } = await open(t);
  await signUp('ann');
  const { refreshToken } = await login('ann');
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => identity.refresh(refreshToken)));
  const answers = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.equal(answers.length, 1);
  await assert.rejects(identity.refresh(answers[0]!.value.refreshToken), ended);
});

test('[SPEC 9] a refresh token that is none is 401; a session ends 30 days after its login', async (t) => {
  const { identity, time, signUp, login } = await open(t);
  await signUp('ann');
  const session = await login('ann');
  for (const token of ['', 'x', 'x'.repeat(64), session.refreshToken.slice(1), session.idToken, '\0']) {
    await assert.rejects(identity.refresh(token), ended);
  }
  time.now += SESSION_DAYS * MICROS_PER_DAY - 1e6;
  const { refreshToken } = await identity.refresh(session.refreshToken);
  time.now += 1e6;
  await assert.rejects(identity.refresh(refreshToken), ended);
});

test('only hashes of refresh tokens and passwords are stored', async (t) => {
  const { record, signUp, login } = await open(t);
  await signUp('ann');
  const { refreshToken } = await login('ann');
  const secret = Buffer.from(refreshToken, 'base64url').subarray(16);
  const [session] = await record.query<{ secret_hash: Uint8Array }>('select secret_hash from lockstep.sessions');
  assert.notDeepEqual(Buffer.from(session!.secret_hash), secret);
  const [user] = await record.query<{ password_hash: string }>('select password_hash from lockstep.users');
  assert.match(user!.password_hash, /^\$argon2id\$/);
});

test('[SPEC 8] an account has so many sessions; the oldest gives way', async (t) => {
  const { record, identity, time, signUp, login } = await open(t);
  const { sub } = await signUp('ann');
  const oldest = await login('ann');
  await record.transaction((tx) =>
    tx.query(
      `insert into lockstep.sessions select gen_random_uuid(), $1, '', now() + interval '1 second', now() + interval '1 day'
       from generate_series(2, $2)`,
      [sub, MAX_SESSIONS],
    ),
  );
  time.now += 60e6;
  const newest = await login('ann');
  await assert.rejects(identity.refresh(oldest.refreshToken), ended);
  await identity.refresh(newest.refreshToken);
  const [count] = await record.query<{ n: number }>('select count(*)::integer as n from lockstep.sessions');
  assert.equal(count!.n, MAX_SESSIONS);
});

test('logout everywhere ends all tokens at once, those of a new login in the same second work, others feel nothing', async (t) => {
  const { identity, signUp, login } = await open(t);
  const ann = await signUp('ann');
  await signUp('bob');
  const sessions = [await login('ann'), await login('ann')];
  const bob = await login('bob');
  await identity.verify(sessions[0]!.idToken);
  await identity.logoutEverywhere(ann);
  for (const { refreshToken, idToken, accessToken } of sessions) {
    await assert.rejects(identity.refresh(refreshToken), ended);
    for (const token of [idToken, accessToken]) {
      await assert.rejects(async () => identity.verify(token), { status: 401, message: 'invalid token' });
    }
  }
  assert.deepEqual(await identity.verify((await login('ann')).idToken), ann);
  await identity.verify(bob.idToken);
  await identity.refresh(bob.refreshToken);
  await identity.logoutEverywhere({ ...ann, sub: '00000000-0000-0000-0000-000000000000' });
});

test('refreshes and a logout everywhere at once leave no session behind that began before it', async (t) => {
  const { identity, signUp, login } = await open(t);
  const ann = await signUp('ann');
  const before = await Promise.all(Array.from({ length: 6 }, () => login('ann')));
  const refreshes = Promise.allSettled(before.map((session) => identity.refresh(session.refreshToken)));
  await identity.logoutEverywhere(ann);
  for (const outcome of await refreshes) {
    if (outcome.status === 'rejected') continue;
    await assert.rejects(identity.refresh(outcome.value.refreshToken), ended);
  }
});

test('tokens stay valid across a restart, ended ones stay ended; another issuer refuses them', async (t) => {
  const { record } = await testDatabase(t);
  const first = await openOn(t, record);
  const ann = await first.signUp('ann');
  const old = await first.login('ann');
  await first.identity.logoutEverywhere(ann);
  const tokens = await first.login('ann');
  await first.identity.close();
  const second = await openOn(t, record);
  assert.deepEqual(await second.identity.verify(tokens.idToken), ann);
  await assert.rejects(async () => second.identity.verify(old.idToken), { message: 'invalid token' });
  await second.identity.refresh(tokens.refreshToken);
  assert.deepEqual(second.identity.jwks(), first.identity.jwks());
  const elsewhere = await openOn(t, record, { config: { issuerUrl: 'http://elsewhere.test' } });
  await assert.rejects(async () => elsewhere.identity.verify(tokens.idToken), { message: 'invalid token' });
});

test('what one process ends or publishes, another knows after its next refresh', async (t) => {
  const { record } = await testDatabase(t);
  const [here, there] = [await openOn(t, record), await openOn(t, record)];
  const ann = await here.signUp('ann');
  const { idToken } = await here.login('ann');
  await there.identity.verify(idToken);
  await here.identity.logoutEverywhere(ann);
  const kid = await here.identity.rotateKeys();
  await there.identity.refreshFromRecord();
  assert.throws(() => there.identity.verify(idToken), { message: 'invalid token' });
  assert.ok(there.identity.jwks().keys.some((key) => key.kid === kid));
  const again = await here.login('ann');
  await there.identity.verify(again.idToken);
  await here.identity.revoke('ann', 'admin');
  await there.identity.refreshFromRecord();
  assert.throws(() => there.identity.verify(again.idToken), { message: 'invalid token' });
  // Tokens of before have expired by themselves: nothing needs to be remembered.
  there.time.now += 3 * 3600e6;
  await there.identity.refreshFromRecord();
  assert.throws(() => there.identity.verify(idToken), { message: 'jwt expired' });
});

test('roles are in the tokens from the next refresh on; a revoked one ends the tokens that carry it', async (t) => {
  const { identity, signUp, login } = await open(t);
  await signUp('Ann');
  const plain = await login('ann');
  assert.deepEqual((await identity.grant('ann', 'admin')).roles, ['admin']);
  assert.deepEqual((await identity.grant('ANN', 'admin')).roles, ['admin']);
  assert.deepEqual(((await identity.verify(plain.idToken)) as User).roles, []);
  const admin = await identity.refresh(plain.refreshToken);
  assert.deepEqual(((await identity.verify(admin.idToken)) as User).roles, ['admin']);
  assert.deepEqual(decodeJwt(admin.accessToken)['cognito:groups'], ['admin']);
  assert.deepEqual((await identity.revoke('ann', 'admin')).roles, []);
  await assert.rejects(async () => identity.verify(admin.idToken), { message: 'invalid token' });
  const again = await identity.refresh(admin.refreshToken);
  assert.deepEqual(((await identity.verify(again.idToken)) as User).roles, []);
  await assert.rejects(identity.grant('nobody', 'admin'), { status: 404, message: /nobody/ });
  await assert.rejects(identity.grant('ann', 'Not A Role'), { status: 400 });
});

test('users are listed by name, a page at a time, without secrets', async (t) => {
  const { identity, time, signUp } = await open(t);
  for (const name of ['Cat', 'ann', 'Bob']) await signUp(name);
  const users = await identity.listUsers();
  assert.deepEqual(
    users.map((user) => user.username),
    ['ann', 'Bob', 'Cat'],
  );
  const { sub, ...ann } = users[0]!;
  assert.deepEqual(ann, {
    username: 'ann',
    email: 'ann@example.org',
    emailVerified: false,
    roles: [],
    createdAt: time.now,
  });
  assert.deepEqual(
    (await identity.listUsers({ after: 'ANN', limit: 1 })).map((user) => user.username),
    ['Bob'],
  );
  assert.match(sub, /^[0-9a-f-]{36}$/);
});

test('a password hashed at another cost is hashed again at the next login', async (t) => {
  const { record } = await testDatabase(t);
  const before = await openOn(t, record);
  await before.signUp('ann');
  const after = await openOn(t, record, { passwords: { cost: { memory: 128, passes: 1 } } });
  await after.login('ann');
  const [user] = await record.query<{ password_hash: string }>('select password_hash from lockstep.users');
  assert.match(user!.password_hash, /m=128,t=1/);
  await after.login('ann');
});
