import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testApp } from '../../src/testing/app.ts';
import { TestClient } from './test-client.ts';

/** Text that is often nearly right, and often nasty. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '',
    '\0',
    '%',
    '%00',
    '../../etc/passwd',
    "'; drop table leaderboard.games; --",
    '__proto__',
    '2019-02-30',
    '-1',
    '1e9',
    '9'.repeat(40),
    'ä'.repeat(300),
    '💥',
  ),
);
const value = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, [], {}),
  fc.jsonValue({ maxDepth: 2 }),
);
const body = fc.oneof(
  fc.record({ username: value, password: value, email: value, level: value, score: value }, { requiredKeys: [] }),
  value,
  fc.string({ maxLength: 40 }),
);
const part = text.map((raw) => encodeURIComponent(raw.toWellFormed()) || '%20');
const query = fc.dictionary(fc.constantFrom('limit', 'window', 'date', 'around', 'from'), text).map((fields) => {
  const wellFormed = Object.entries(fields).map(([name, raw]) => [name, raw.toWellFormed()]);
  return new URLSearchParams(wellFormed).toString();
});

test('[SPEC 9] whatever is sent to a route, the answer is no 5xx, and an error says what is wrong', async (t) => {
  const app = await testApp(t);
  const client = new TestClient(app);
  const token = await client.account('ann');
  const path = fc.oneof(
    fc.constantFrom(['POST', '/users'], ['POST', '/login'], ['POST', '/users/ann']),
    part.map((name) => ['POST', `/users/${name}`]),
    part.map((id) => ['DELETE', `/games/${id}`]),
    fc.tuple(part, query).map(([name, sent]) => ['GET', `/users/${name}?${sent}`]),
    fc.tuple(part, query).map(([name, sent]) => ['GET', `/players/${name}/rank?${sent}`]),
    fc.tuple(part, query).map(([date, sent]) => ['GET', `/scores/${date}?${sent}`]),
    fc.tuple(part, query).map(([date, sent]) => ['GET', `/scores/${date}/stream?${sent}`]),
  );
  await fc.assert(
    fc.asyncProperty(path, body, fc.boolean(), async ([method, where], sent, signedIn) => {
      const options = { ...(method === 'POST' && { body: sent }), ...(signedIn && { token }) };
      const { status, body: answer } = await client.call(method!, where!, options);
      assert.ok(status === 200 || (status >= 400 && status < 500), `${method} ${where} answered ${status}`);
      if (status !== 200)
        assert.ok((answer as { message?: string }).message, `${method} ${where} ${status}: no message`);
    }),
    { numRuns: 400 },
  );
  assert.equal((await client.call('GET', '/scores/2019-11-06')).status, 200);
});
