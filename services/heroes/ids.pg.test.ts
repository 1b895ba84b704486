import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testApp } from '../../src/testing/app.ts';
import { HeroesClient, hero } from './test-client.ts';

const LAST = 2_147_483_647;

test('ids end, and go on when the last one is free again', async (t) => {
  const app = await testApp(t);
  const client = new HeroesClient(app);
  const upload = async (id: number) => {
    const { status } = await client.call('POST', '/import', `${id},a,b,c,1,d`, { 'content-type': 'text/csv' });
    assert.equal(status, 200);
  };
  const create = async (count: number, headers: Record<string, string> = {}) => {
    const heroes = JSON.stringify(Array.from({ length: count }, () => hero()));
    const answer = await client.call('POST', '/', heroes, { 'content-type': 'application/json', ...headers });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.map(({ id }: { id: number }) => id) as number[];
  };
  assert.deepEqual(await create(3), [1, 2, 3]);

  await t.test('while a hero has the last one, a write says so and what to do', async () => {
    await upload(LAST);
    const message = `no ids are left: a hero has ${LAST}, and ids end at ${LAST}; delete it, and ids go on from the highest again`;
    for (let times = 0; times < 2; times++) {
      const { status, body } = await client.write([hero()]);
      assert.deepEqual([status, body], [409, { statusCode: 409, body: { message } }]);
    }
    const created = await client.call('POST', '', hero());
    assert.deepEqual([created.status, created.body.message], [409, message]);
  });

  await t.test('without it they ascend from the highest, whoever writes at the same time', async () => {
    assert.equal((await client.call('DELETE', `/${LAST}`)).status, 200);
    const writers = Array.from({ length: 40 }, (_, i) => create(2, i % 4 === 0 ? { 'idempotency-key': `k${i}` } : {}));
    const ids = (await Promise.all(writers)).flat();
    assert.equal(new Set(ids).size, 80);
    assert.ok(Math.min(...ids) > 3 && Math.max(...ids) < 10_000, ids.join());
  });

  await t.test('a row that is not committed yet counts', async () => {
    await upload(LAST);
    await client.call('DELETE', `/${LAST}`);
    let creating: Promise<number[]> | undefined;
    await app.record.transaction(async (tx) => {
      await tx.query(`insert into heroes.heroes values (50000, 'no', '', 'by hand', 0, '')`);
      creating = create(1);
      const waits = `select 1 from pg_locks where not granted and relation = 'heroes.heroes'::regclass`;
      while ((await app.record.query(waits)).length === 0) await sleep(5);
    });
    assert.deepEqual(await creating, [50_001]);
  });

  await t.test('the last ids are given to who needs no more', async () => {
    await upload(LAST - 2);
    assert.equal((await client.write([hero(), hero(), hero()])).status, 409);
    assert.deepEqual(await create(2), [LAST - 1, LAST]);
    assert.equal((await client.write([hero()])).status, 409);
  });

  await t.test('in an empty table they begin anew', async () => {
    await app.record.query('delete from heroes.heroes');
    assert.deepEqual(await create(1), [1]);
  });
});
