import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { HeroesClient, hero } from './test-client.ts';

/** More connections than the record has. */
const MANY = 12;

test('[SPEC 8] uploads do not take the record from everybody else', async (t) => {
  const app = await testApp(t);
  const client = new HeroesClient(app);
  const opened: ClientRequest[] = [];
  const begin = (text?: string) => {
    const sent = request(`${app.url}/heroes/import`, { method: 'POST', headers: { 'content-type': 'text/csv' } });
    sent.on('error', () => {});
    opened.push(sent);
    if (text === undefined) sent.flushHeaders();
    else sent.write(text);
    return sent;
  };
  t.afterEach(() => {
    for (const each of opened.splice(0)) each.destroy();
  });
  /** Imports that have a connection of the record. */
  const holding = async () => {
    const [row] = await app.record.query<{ n: number }>(
      `select count(*) as n from pg_stat_activity
        where datname = current_database() and query ilike 'copy %' and state <> 'idle'`,
    );
    return row!.n;
  };
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => `${from + i},yes,fire,fireman,10,red\n`).join('');
  const answerTo = async (sent: ClientRequest) => {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return {
      status: response.statusCode,
      headers: response.headers,
      body: (await json(response)) as { heroes?: number; message?: string },
    };
  };
  const until = async (count: number) => {
    while ((await holding()) !== count);
  };
  const small = async (id: number) =>
    (await client.call('POST', '/import', `${id},yes,fire,fireman,10,red`, { 'content-type': 'text/csv' })).status;

  await t.test('whoever has sent next to nothing has no connection of it', async () => {
    for (let i = 0; i < MANY; i++) begin(i % 2 === 0 ? undefined : '1,yes,');
    assert.equal(await small(501), 200);
    assert.equal((await client.write([hero()])).status, 200);
    assert.equal(await holding(), 0);
  });

  await t.test('two that are being sent do, the next is told to come back, small ones are stored', async () => {
    const two = [begin(lines(10_000, 4000)), begin(lines(20_000, 4000))];
    await until(2);
    const third = await answerTo(begin(lines(30_000, 4000)));
    assert.deepEqual([third.status, third.headers['retry-after']], [503, '10']);
    assert.match(third.body.message!, /^2 files are being imported/);
    assert.equal(await small(9000), 200);
    assert.equal((await client.write([hero()])).status, 200);
    for (const sent of two) {
      const answered = answerTo(sent);
      sent.end();
      assert.deepEqual([(await answered).status, (await answered).body.heroes], [200, 4000]);
    }
    const again = begin(lines(30_000, 4000));
    again.end();
    assert.equal((await answerTo(again)).status, 200);
  });

  await t.test('one that is broken off stores nothing, and gives its place back', async () => {
    const two = [begin(lines(40_000, 4000)), begin(lines(50_000, 4000))];
    await until(2);
    for (const sent of two) sent.destroy();
    await until(0);
    assert.equal((await client.read([40_000])).status, 404);
    const next = begin(lines(40_000, 4000));
    next.end();
    assert.equal((await answerTo(next)).status, 200);
  });
});
