import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientError } from '../record/errors.ts';
import { Gate } from './gate.ts';
import { OWASP_COST, PasswordHasher } from './passwords.ts';

const cheap = { memory: 64, passes: 1 };

test("a hash is OWASP's Argon2id unless told otherwise", async () => {
  const passwords = new PasswordHasher();
  const hash = await passwords.hash('Secret123');
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.deepEqual(OWASP_COST, { memory: 19_456, passes: 2 });
  assert.equal(await passwords.verify(hash, 'Secret123'), true);
  assert.equal(await passwords.verify(hash, 'Secret124'), false);
});

test('a hash made by the reference implementation is understood', async () => {
  // P-H-C/phc-winner-argon2, src/test.c: hashtest(version, 2, 16, 1, "password", "somesalt", ..., Argon2_id).
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  assert.equal(await new PasswordHasher().verify(hash, 'password'), true);
});

test('[SPEC 9] an unknown user costs one hash, too', async () => {
  const passwords = new PasswordHasher({ cost: cheap, concurrency: 1, maxQueued: 0 });
  const unknown = passwords.verify(undefined, 'Secret123');
  // The only place is taken: a hash is being computed.
  await assert.rejects(passwords.hash('Secret123'), { status: 503 });
  assert.equal(await unknown, false);
});

test('a changed cost is noticed', async () => {
  const hash = await new PasswordHasher({ cost: cheap }).hash('Secret123');
  assert.equal(new PasswordHasher({ cost: cheap }).isOutdated(hash), false);
  assert.equal(new PasswordHasher().isOutdated(hash), true);
});

test('[SPEC 8] so many at a time, so many waiting in order, one more is 503', async () => {
  const gate = new Gate({ concurrency: 2, maxQueued: 3 });
  const release: (() => void)[] = [];
  const started: number[] = [];
  const job = (n: number) =>
    gate.run(() => {
      started.push(n);
      return new Promise<void>((resolve) => release.push(resolve));
    });
  const jobs = [0, 1, 2, 3, 4].map(job);
  await assert.rejects(
    job(5),
    (error) => error instanceof ClientError && error.status === 503 && error.headers['retry-after'] === '5',
  );
  assert.deepEqual(started, [0, 1]);
  for (let i = 0; i < 5; i++) {
    release[i]!();
    await jobs[i];
  }
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  await assert.rejects(
    gate.run(() => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.equal(await gate.run(async () => 'a failed job frees its place'), 'a failed job frees its place');
});
