import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresPair } from '../testing/postgres-pair.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';
import { primaryUrl } from './primary.ts';

/** An answer is good for a moment, so a new one may take that long. */
async function leadsTo(url: string, expected: string | RegExp): Promise<void> {
  let found = '';
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    found = await primaryUrl(url).catch((error: Error) => error.message);
    if (typeof expected === 'string' ? found === expected : expected.test(found)) return;
  }
  assert.fail(`${url} leads to ${found}`);
}

test('[SPEC 1] of several hosts the one that takes writes is used, after a promotion the other one; a failed primary that comes back is not', async (t) => {
  const { primary, standby, url } = await postgresPair(t);
  const backwards = url.replace(/127[^/]*/, `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`);
  for (const each of [url, backwards]) assert.equal(await primaryUrl(each), primary.url());
  const record = await openRecord({ url: backwards, log: silent });
  t.after(() => record.close());
  await record.query('create table t (n integer)');
  const waiting = record.query('select pg_sleep(60)');
  waiting.catch(() => {});
  await standby.until(`to_regclass('t') is not null`);
  await primary.kill();
  await assert.rejects(waiting, /cannot be reached/);
  const written = record.transaction((tx) => tx.query('insert into t values (1)')); // waits for the promotion
  await sleep(300);
  await standby.ask('select pg_promote()');
  await written;
  assert.deepEqual(await standby.ask('select n from t'), [{ n: 1 }]);
  await primary.start(); // nobody told it that it has been replaced
  for (const each of [url, backwards]) await leadsTo(each, standby.url());
  await record.transaction((tx) => tx.query('insert into t values (2)'));
  assert.equal((await standby.ask('select n from t')).length, 2);
  await standby.stop();
  await leadsTo(url, /no server takes writes: .*on timeline 1, and another server went on to timeline 2/);
});

test('a primary that hangs is left when its standby is promoted, and what waits for its answer learns so', async (t) => {
  const { primary, standby, url } = await postgresPair(t);
  const wrong = url.replace(/:[^:@]+@/, ':wrong@');
  await assert.rejects(openRecord({ url: wrong, log: silent }), /password authentication failed/);
  await primary.ask(`create role app login password 'app'; revoke execute on function pg_control_system() from public`);
  const plain = url.replace(/\/\/[^@]+@/, '//app:app@');
  const found = primary.url().replace(/\/\/[^@]+@/, '//app:app@');
  assert.equal(await primaryUrl(plain), found, 'whoever may not ask for the timeline is told the primary too');
  const record = await openRecord({ url, log: silent });
  t.after(() => record.close());
  await record.query('select');
  primary.freeze();
  const waiting = record.query('select 1');
  await standby.ask('select pg_promote()');
  await assert.rejects(waiting, /cannot be reached/);
  assert.equal(await primaryUrl(url), standby.url());
  assert.deepEqual(await record.query('select inet_server_port() as port'), [{ port: standby.port }]);
});
