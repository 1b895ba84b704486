import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { silent } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import { testDatabase } from '../testing/database.ts';
import { Keyring } from './keyring.ts';
import { openIdentity } from './open.ts';
import { createSeal } from './seal.ts';

const DAY = 86_400e6;
const policy = { rotateEvery: 90 * DAY, publishAhead: DAY, keepAfter: DAY / 12 };

async function open(t: TestContext, secret?: string) {
  const { record } = await testDatabase(t);
  await reopen(record, secret);
  return record;
}

async function reopen(record: PgRecord, secret?: string) {
  const identity = await openIdentity({ record, log: silent, config: { issuerUrl: 'http://localhost', secret } });
  await identity.close();
  return identity;
}

const kids = (ring: Keyring) => ring.jwks().keys.map((key) => key.kid);
const stored = (record: PgRecord) =>
  record.query<{ private_key: Uint8Array; sealed: boolean }>('select private_key, sealed from lockstep.signing_keys');

test('processes that start at once agree on one key', async (t) => {
  const record = await open(t);
  await record.transaction((tx) => tx.query('delete from lockstep.signing_keys'));
  const rings = Array.from({ length: 4 }, () => new Keyring({ record, policy, clock: () => DAY }));
  await Promise.all(rings.map((ring) => ring.maintain()));
  assert.equal((await stored(record)).length, 1);
  for (const ring of rings) assert.equal(ring.current.kid, rings[0]!.current.kid);
});

test('rotation: published ahead, used in time, kept while its tokens are out, then gone everywhere', async (t) => {
  const record = await open(t);
  await record.transaction((tx) => tx.query('delete from lockstep.signing_keys'));
  const time = { now: 1000 * DAY };
  const clock = () => time.now;
  const ring = new Keyring({ record, policy, clock });
  const other = new Keyring({ record, policy, clock });
  const step = async (micros: number) => {
    time.now += micros;
    await ring.maintain();
    await other.refresh();
  };
  await step(0);
  const first = ring.current.kid;
  await step(88 * DAY);
  assert.deepEqual(kids(ring), [first]);
  await step(DAY);
  const [, next] = kids(ring) as [string, string];
  assert.equal(ring.current.kid, first);
  assert.deepEqual(kids(other), [first, next]);
  time.now += DAY;
  assert.equal(other.current.kid, next);
  assert.ok(ring.find(first));
  await step(DAY / 12);
  assert.deepEqual(kids(ring), [next]);
  assert.deepEqual(kids(other), [next]);
  assert.equal(other.find(first), undefined);
});

test('a rotation by hand publishes one key ahead, however often it is asked for', async (t) => {
  const record = await open(t);
  const time = { now: Date.now() * 1000 };
  const ring = new Keyring({ record, policy, clock: () => time.now });
  await ring.refresh();
  const first = ring.current.kid;
  const next = await ring.rotate();
  assert.notEqual(next, first);
  assert.equal(await ring.rotate(), next);
  assert.equal(ring.current.kid, first);
  time.now += DAY;
  assert.equal(ring.current.kid, next);
});

test('the JWKS holds public members only', async (t) => {
  const record = await open(t);
  const ring = new Keyring({ record, policy, clock: () => Date.now() * 1000 });
  await ring.refresh();
  for (const key of ring.jwks().keys) {
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  }
});

test('with a secret the private key is encrypted in the record; without it, or with another, start says so', async (t) => {
  const record = await open(t, 'a long secret');
  const [key] = await stored(record);
  assert.equal(key!.sealed, true);
  assert.throws(() => createPrivateKey({ key: Buffer.from(key!.private_key), format: 'der', type: 'pkcs8' }));
  await reopen(record, 'a long secret');
  await assert.rejects(
    reopen(record, 'another secret'),
    /LOCKSTEP_SECRET is another one than when signing key .* was stored/,
  );
  await assert.rejects(reopen(record), /LOCKSTEP_SECRET is unset, but was set when signing key/);
});

test('a key stored before the secret was set is still read', async (t) => {
  const record = await open(t);
  const before = await reopen(record);
  assert.deepEqual((await reopen(record, 'a secret')).jwks(), before.jwks());
});

test('a sealed key belongs to its row, and cannot be changed', () => {
  const seal = createSeal('secret');
  const sealed = seal.seal(Buffer.from('key'), 'kid');
  assert.equal(Buffer.from(seal.open(sealed, 'kid')).toString(), 'key');
  assert.throws(() => seal.open(sealed, 'other'));
  const changed = Uint8Array.from(sealed);
  changed[changed.length - 1]! ^= 1;
  assert.throws(() => seal.open(changed, 'kid'));
});
