import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionAhead } from '../live/errors.ts';
import { testServer } from './testing/server.ts';

const write = (headers: Record<string, string> = {}) =>
  ({
    method: 'POST',
    url: '/sample/numbers',
    payload: { score: '7' },
    headers: { authorization: 'Bearer alice', ...headers },
  }) as const;

test('[SPEC 4] a write waits for the views, at most the configured time, and says its position', async (t) => {
  const { app, live } = await testServer(t, { waitMs: 1234 });
  const response = await app.inject(write());
  assert.equal(response.statusCode, 200);
  assert.deepEqual(response.json(), { user: 'alice', score: 7, key: null });
  assert.equal(response.headers['lockstep-position'], 'e1-2s');
  assert.equal(response.headers['lockstep-applied'], undefined);
  assert.deepEqual(live.waited, [1234]);
});

test('[SPEC 4] a wait that ran out still succeeds and says so', async (t) => {
  const { app, live } = await testServer(t);
  live.isApplied = false;
  const response = await app.inject(write());
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['lockstep-applied'], 'false');
});

test('[SPEC 4] Lockstep-Wait: none does not wait; anything else is refused', async (t) => {
  const { app, live } = await testServer(t);
  assert.equal((await app.inject(write({ 'lockstep-wait': 'none' }))).statusCode, 200);
  assert.deepEqual(live.waited, [0]);
  const refused = await app.inject(write({ 'lockstep-wait': '5' }));
  assert.equal(refused.statusCode, 400);
  assert.match(refused.json<{ message: string }>().message, /send "none"/);
});

test('[SPEC 4] [rule 3] a position that is none is 400', async (t) => {
  const { app } = await testServer(t);
  for (const bad of ['', 'x', 'e1-', 'e1-zzzzzzzzzzzz', 'e1-2s-3', `${'e'.repeat(40)}-1`]) {
    const response = await app.inject({ url: '/sample/numbers', headers: { 'lockstep-min-position': bad } });
    assert.equal(response.statusCode, 400, bad);
    assert.match(response.json<{ message: string }>().message, /Lockstep-Min-Position is no position/);
  }
});

test('[SPEC 4] a read of the record waits until SQL shows the position; one of a view is left to the view', async (t) => {
  const { app, live } = await testServer(t);
  const get = (url: string, position: string) => app.inject({ url, headers: { 'lockstep-min-position': position } });
  assert.equal((await get('/sample/refused', 'e1-2s')).statusCode, 409);
  assert.deepEqual(live.awaited, [{ epoch: 'e1', lsn: 100 }]);
  assert.equal((await get('/sample/refused', 'nonsense')).statusCode, 400);
  await get('/sample/numbers', 'e1-2s');
  assert.equal(live.awaited.length, 1);
  live.shown = async () => Promise.reject(new PositionAhead());
  assert.equal((await get('/sample/refused', 'e1-2s')).statusCode, 400);
});

test('Idempotency-Key reaches the service when it is a safe one', async (t) => {
  const { app } = await testServer(t);
  assert.equal((await app.inject(write({ 'idempotency-key': 'a-1' }))).json<{ key: string }>().key, 'a-1');
  for (const bad of ['', 'with space', 'x'.repeat(201), 'ü']) {
    const response = await app.inject(write({ 'idempotency-key': bad }));
    assert.equal(response.statusCode, 400, JSON.stringify(bad));
    assert.match(response.json<{ message: string }>().message, /Idempotency-Key must be/);
  }
});

test('a token comes bare or after Bearer', async (t) => {
  const { app } = await testServer(t);
  for (const authorization of ['alice', 'Bearer alice', 'bearer  alice']) {
    assert.equal((await app.inject(write({ authorization }))).statusCode, 200, authorization);
  }
  const missing = await app.inject(write({ authorization: 'Bearer ' }));
  assert.deepEqual([missing.statusCode, missing.json<{ message: string }>().message], [401, 'jwt must be provided']);
});
