import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testApp } from '../../src/testing/app.ts';
import { HeroesClient, hero } from './test-client.ts';

/** Text that is often nearly right, and often nasty. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '',
    '\0',
    '%',
    '1,2',
    '1,,2',
    '-1',
    '1e9',
    '2147483648',
    "1'; drop table heroes.heroes; --",
    '__proto__',
  ),
  fc.constantFrom('ä'.repeat(21), '💥'.repeat(20), '9'.repeat(40), 'true', 'True'),
);
const value = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, [], {}),
  fc.jsonValue({ maxDepth: 2 }),
);
const heroLike = fc
  .record({ id: value, hero: value, power: value, name: value, xp: value, color: value }, { requiredKeys: [] })
  .chain((changes) => fc.constantFrom(changes, { ...hero(), ...changes }));
const order = fc.record(
  {
    USE_CACHE: fc.oneof(fc.constantFrom<unknown>('True', 'False', true), value),
    REQUEST: fc.oneof(fc.constantFrom<unknown>('read', 'write'), value),
    SQLS: fc.oneof(fc.array(fc.oneof(heroLike, fc.integer({ min: 0, max: 9 }), value), { maxLength: 4 }), value),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(order, heroLike, fc.array(heroLike, { maxLength: 3 }), value);
const part = text.map((raw) => encodeURIComponent(raw.toWellFormed()) || '%20');
const query = fc
  .dictionary(fc.constantFrom('ids', 'cache', 'after', 'limit'), text)
  .map((fields) => new URLSearchParams(Object.entries(fields).map(([name, raw]) => [name, raw.toWellFormed()])));
const headers = fc.record(
  {
    'lockstep-min-position': fc.constantFrom('1', '0-zz', '9'.repeat(99)),
    'idempotency-key': fc.constantFrom('k', 'a b', 'x'.repeat(300)),
    'lockstep-wait': fc.constantFrom('none', 'never'),
    'content-type': fc.constantFrom('application/json', 'text/csv', 'text/html', 'application/octet-stream'),
  },
  { requiredKeys: [] },
);

test('[SPEC 9] whatever is sent to a route of heroes, the answer is no 5xx, and an error says what is wrong', async (t) => {
  const client = new HeroesClient(await testApp(t));
  await client.write([hero(), hero(), hero()]);
  const call = fc.oneof(
    fc.tuple(fc.constant('GET'), fc.tuple(fc.constantFrom('', '/list', '/cache'), query)),
    fc.tuple(fc.constantFrom('POST'), fc.tuple(fc.constantFrom('', '/', '/import'), query)),
    fc.tuple(
      fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE'),
      fc.tuple(
        fc.oneof(
          part.map((id) => `/${id}`),
          fc.constantFrom('/1', '/2'),
        ),
        query,
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(call, body, headers, async ([method, [path, sent]], content, extra) => {
      const json = method === 'GET' ? undefined : JSON.stringify(content);
      const { status, body: answer } = await client.call(method, `${path}?${sent}`, json, {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...extra,
      });
      const said = `${method} ${path}?${sent} ${json} answered ${status} ${JSON.stringify(answer)}`;
      assert.ok((status >= 200 && status < 400) || (status >= 400 && status < 500), said);
      if (status >= 400) assert.ok(answer?.message ?? answer?.body?.message, said);
    }),
    { numRuns: 600 },
  );
  assert.equal((await client.write([hero()])).status, 200);
});
