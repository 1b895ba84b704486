import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { rows } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { HeroesClient, hero } from './test-client.ts';

test('heroes', async (t) => {
  const app = await testApp(t);
  const client = new HeroesClient(app);
  const view = app.views.find(({ name }) => name === 'heroes/heroes')!;
  const missesIn = async (work: () => Promise<unknown>) => {
    const before = await client.cache();
    await work();
    return (await client.cache()).misses - before.misses;
  };

  await t.test('the two requests, exactly', async () => {
    const sent = [
      { hero: 'yes', name: 'fireman', power: 'fire', color: 'red', xp: '10' },
      { hero: 'no', name: 'invisible', power: 'hide', color: 'none', xp: '20' },
      { hero: 'no', name: 'bananaman', power: 'eat', color: 'yellow', xp: '30' },
    ];
    const written = await client.write(sent);
    assert.deepEqual([written.status, written.body], [200, { statusCode: 200, body: 'write success' }]);
    const one = { id: 1, hero: 'yes', power: 'fire', name: 'fireman', xp: 10, color: 'red' };
    const two = { id: 2, hero: 'no', power: 'hide', name: 'invisible', xp: 20, color: 'none' };
    const three = { id: 3, hero: 'no', power: 'eat', name: 'bananaman', xp: 30, color: 'yellow' };
    for (const cache of ['True', 'False', true, false]) {
      const { status, body, headers } = await client.read([3, 1, 2, 1], cache);
      assert.deepEqual([status, body], [200, { statusCode: 200, body: [three, one, two, one] }]);
      assert.equal(headers.get('lockstep-source'), cache === true || cache === 'True' ? 'view' : 'record');
      assert.ok(headers.get('lockstep-position'));
    }
    const unknown = await client.read([1, 999, 2, 1000, 999]);
    assert.deepEqual(
      [unknown.status, unknown.body],
      [404, { statusCode: 404, body: { message: 'no hero with id 999, 1000' } }],
    );
    assert.deepEqual((await client.read([])).body, { statusCode: 200, body: [] });
  });

  await t.test(
    'write-through: written with the cache, a row is in it; without, it is loaded when it is asked for',
    async () => {
      await client.write([hero()], 'True');
      assert.equal(await missesIn(() => client.read([4])), 0);
      await client.write([hero()], 'False');
      assert.equal(await missesIn(() => client.read([5])), 1);
      assert.equal(await missesIn(() => client.read([5, 4])), 0);
    },
  );

  await t.test('an unknown id is known as such, and appears the moment it is created', async () => {
    assert.equal((await client.read([6])).status, 404);
    assert.equal(await missesIn(() => client.read([6])), 0);
    await client.write([hero({ name: 'newcomer' })], 'False');
    assert.equal((await client.read([6])).body.body[0].name, 'newcomer');
  });

  await t.test('a row changed, deleted, truncated by SQL is never stale', async () => {
    await client.read([1, 2, 3]);
    const position = async (sql: string) => {
      await app.record.query(sql);
      const lsn = await app.record.flushedLsn();
      await app.live.reached({ epoch: app.live.watermark.epoch, lsn });
    };
    await position(`update heroes.heroes set xp = 77 where id = 2`);
    assert.equal(await missesIn(async () => assert.equal((await client.read([2])).body.body[0].xp, 77)), 0);
    await position(`delete from heroes.heroes where id = 3`);
    assert.equal((await client.read([3])).status, 404);
    await position(`update heroes.heroes set id = 3 where id = 2`);
    assert.equal((await client.read([2])).status, 404);
    assert.equal((await client.read([3])).body.body[0].xp, 77);
    await position(`truncate heroes.heroes`);
    assert.equal((await client.read([1])).status, 404);
  });

  await t.test('the same as REST', async () => {
    const { status, body } = await client.call('POST', '', hero({ xp: '5' }));
    assert.deepEqual([status, body], [201, { id: body.id, ...hero({ xp: 5 }) }]);
    const { id } = body;
    assert.deepEqual((await client.call('GET', `/${id}`)).body, body);
    assert.deepEqual((await client.call('GET', `?ids=${id},${id}&cache=false`)).body, [body, body]);
    assert.deepEqual((await client.call('PATCH', `/${id}`, { xp: 6 })).body, { ...body, xp: 6 });
    assert.equal((await client.call('GET', `/${id}`)).body.xp, 6);
    const other = { ...body, name: 'otherman', xp: 7 };
    assert.deepEqual((await client.call('PUT', `/${id}`, other)).body, other);
    assert.deepEqual((await client.call('GET', `?ids=${id}`)).body, [other]);
    const more = await client.call('POST', '/', [hero(), hero()]);
    assert.deepEqual([more.status, more.body.map((each: { id: number }) => each.id)], [201, [id + 1, id + 2]]);
    assert.deepEqual((await client.call('GET', `/list?after=${id}&limit=1`)).body, [more.body[0]]);
    assert.equal((await client.call('DELETE', `/${id}`)).status, 200);
    for (const method of ['GET', 'DELETE']) {
      const gone = await client.call(method, `/${id}`);
      assert.deepEqual([gone.status, gone.body.message], [404, `no hero with id ${id}`]);
    }
    assert.equal((await client.call('GET', '')).headers.get('location'), '/heroes/');
  });

  await t.test('a bad request writes nothing, and says which field of which row is wrong', async () => {
    const count = async () => (await app.record.query<{ n: number }>('select count(*) as n from heroes.heroes'))[0]!.n;
    const before = await count();
    const good = hero();
    const bad: [unknown, RegExp][] = [
      [[good, hero({ xp: 'ten' })], /^SQLS\[1\]: xp must be a whole number from .* found "ten"\.$/],
      [[good, hero({ color: 'x'.repeat(21) })], /^SQLS\[1\]: color must be text of at most 20 characters, found/],
      [[good, hero({ name: undefined })], /^SQLS\[1\]: name must be text .* found nothing\.$/],
      [[hero({ power: 'a\0b' }), good], /^SQLS\[0\]: power must be text/],
      [[hero({ power: '\ud800' }), good], /^SQLS\[0\]: power must be text/],
      [[hero({ xp: 2 ** 31 })], /^SQLS\[0\]: xp must be/],
      [[hero({ colour: 'red' })], /^SQLS\[0\]: "colour" is no field of a hero/],
      [[hero({ id: 7 })], /^SQLS\[0\]: id is given by the record/],
      [[good, 'a hero'], /^SQLS\[1\]: a hero must be an object, found "a hero"\.$/],
      ['all', /^SQLS must be a list/],
    ];
    for (const [heroes, message] of bad) {
      const { status, body } = await client.write(heroes as unknown[]);
      assert.deepEqual([status, body.statusCode], [400, 400]);
      assert.match(body.body.message, message);
    }
    assert.match((await client.read([1, '2', 'x'])).body.body.message, /^SQLS\[2\] must be an id/);
    assert.match((await client.read([1], 'yes')).body.body.message, /^USE_CACHE must be "True" or "False"/);
    assert.match((await client.call('POST', '/', { SQLS: [] })).body.body.message, /^USE_CACHE/);
    for (const body of [null, 5, [], {}, hero({ xp: null })]) {
      const answer = await client.call('POST', '/', body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.ok(answer.body.message);
    }
    for (const path of ['?ids=', '?ids=1,,2', '?ids=a', '?ids=99999999999', '/9999999999', '/x', '?ids=1&cache=maybe'])
      assert.equal((await client.call('GET', path)).status, 400, path);
    for (const after of ['99999999999999999999', '2147483648', '-2147483650'])
      assert.match((await client.call('GET', `/list?after=${after}`)).body.message, /^"after" in the query must be at/);
    assert.equal((await client.call('PUT', '/1', { ...good, id: 2 })).status, 400);
    assert.equal((await client.call('PATCH', '/1', {})).status, 400);
    assert.equal(await count(), before);
  });

  await t.test('what cannot be read at all is told in the form of the two requests too', async () => {
    const bad: [string, string, number, RegExp][] = [
      ['{"USE_CACHE":', 'application/json', 400, /not valid JSON/],
      ['', 'application/json', 400, /body is empty|must be an object/],
      ['a hero', 'text/plain', 415, /Content-Type: application\/json/],
      ['1,a,b,c,1,d', 'text/csv', 415, /Content-Type: application\/json/],
      [
        `[${' '.repeat(1_280_000)}]`,
        'application/json',
        413,
        /^The body is larger than 1250 KiB, .* \/heroes\/import\.$/,
      ],
    ];
    for (const [body, type, expected, message] of bad) {
      for (const path of ['/', '']) {
        const answer = await client.call('POST', path, body, { 'content-type': type });
        assert.deepEqual([answer.status, answer.body.statusCode], [expected, expected], answer.body.message);
        assert.match(answer.body.body.message, message);
      }
    }
    const origin = { 'content-type': 'application/json', origin: 'http://elsewhere.example' };
    const elsewhere = await client.call('POST', '/', '{"USE_CACHE":true,"REQUEST":"write","SQLS":[]}', origin);
    assert.deepEqual([elsewhere.status, elsewhere.body.statusCode], [403, 403]);
  });

  await t.test('a request takes 1000 of the longest rows, however they are written', async () => {
    const escaped = (text: string) => {
      const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
      return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
    };
    const face = escaped('𝄞'.repeat(20));
    const row = `{${['hero', 'power', 'name', 'color'].map((field) => `${escaped(field)}:${face}`)},${escaped('xp')}:${escaped('-2147483648')}}`;
    const rows = `[${Array(1000).fill(row)}]`;
    const headers = { 'content-type': 'application/json' };
    const { status, body } = await client.call(
      'POST',
      '/',
      `{"USE_CACHE":"True","REQUEST":"write","SQLS":${rows}}`,
      headers,
    );
    assert.deepEqual([status, body], [200, { statusCode: 200, body: 'write success' }]);
    assert.equal((await client.call('POST', '/', rows, headers)).status, 201);
    await app.record.query('delete from heroes.heroes where xp = -2147483648');
  });

  await t.test('ids never collide under concurrent writers, also beside rows that bring their own', async () => {
    const writers = Array.from({ length: 40 }, async (_, i) => {
      const answer = await client.call('POST', '/', [hero({ xp: i }), hero({ xp: i })]);
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body.map((each: { id: number }) => each.id) as number[];
    });
    const byHand = Array.from({ length: 10 }, (_, i) =>
      app.record
        .query(
          `insert into heroes.heroes (id, hero, power, name, xp, color)
           select max(id) + 1 + $1::integer, 'no', '', 'by hand', 0, '' from heroes.heroes`,
          [i],
        )
        .catch((error) => assert.equal(error.code, '23505')),
    );
    const ids = (await Promise.all(writers)).flat();
    await Promise.all(byHand);
    assert.equal(new Set(ids).size, 80);
    await app.record.query(`insert into heroes.heroes values (5000, 'no', '', 'by hand', 0, '')`);
    assert.equal((await client.call('POST', '/', hero())).body.id, 5001);
  });

  await t.test('a write with an Idempotency-Key is done once', async () => {
    const send = (method: string, path: string, key: string, body?: object) => {
      const type = body && { 'content-type': 'application/json' };
      return client.call(method, path, body && JSON.stringify(body), { 'idempotency-key': key, ...type });
    };
    const count = async () => (await app.record.query<{ n: number }>('select count(*) as n from heroes.heroes'))[0]!.n;
    const before = await count();
    const created = await Promise.all(Array.from({ length: 5 }, () => send('POST', '', 'k1', [hero(), hero()])));
    assert.deepEqual([...new Set(created.map(({ status }) => status))], [201]);
    assert.equal(new Set(created.map(({ body }) => JSON.stringify(body))).size, 1);
    const order = { USE_CACHE: 'True', REQUEST: 'write', SQLS: [hero({ xp: 77 })] };
    for (let times = 0; times < 2; times++)
      assert.equal((await send('POST', '/', 'k2', order)).body.body, 'write success');
    assert.equal(await count(), before + 3);
    const other = await send('POST', '/', 'k2', { ...order, SQLS: [hero({ xp: 78 })] });
    assert.deepEqual([other.status, other.body.statusCode], [422, 422]);
    assert.match(other.body.body.message, /Idempotency-Key was used for another request/);
    const id: number = created[0]!.body[0].id;
    for (let times = 0; times < 2; times++) assert.equal((await send('PATCH', `/${id}`, 'k3', { xp: 5 })).body.xp, 5);
    assert.equal((await send('PATCH', `/${id + 1}`, 'k3', { xp: 5 })).status, 422);
    await send('PATCH', `/${id}`, 'k4', { xp: 6 });
    await send('PATCH', `/${id}`, 'k3', { xp: 5 }); // a late repeat does not undo what came after
    assert.equal((await client.call('GET', `/${id}`)).body.xp, 6);
    for (let times = 0; times < 2; times++) assert.equal((await send('DELETE', `/${id}`, 'k5')).status, 200);
    assert.equal((await send('DELETE', `/${id}`, 'k6')).status, 404);
    assert.equal((await send('POST', '/', 'not a key', hero())).status, 400);
    await app.record.query('delete from heroes.heroes where id > 5001');
    await app.record.query(`select setval('heroes.heroes_id_seq', 5001)`);
  });

  await t.test('a stampede of misses of one key is one query', async () => {
    await view.rebuild();
    await until('the cache is empty', () => view.status().entries === 0);
    const statements = () => view.status().cache!.statements!;
    const before = statements();
    const asked = Array.from({ length: 1000 }, () => view.read([rows([5000])]));
    const answers = await Promise.all(asked);
    assert.equal(new Set(answers.map(({ results }) => JSON.stringify(results))).size, 1);
    // A store whose bucket is new is asked once more.
    assert.ok(statements() <= before + (app.status('', null).store === 'memory' ? 1 : 2));
  });

  await t.test('[SPEC 7] verify compares what is held, and finds what was tampered with', async () => {
    await client.call('GET', '?ids=5000,5001');
    assert.equal((await client.call('GET', '/4999')).status, 404);
    const report = await view.verify();
    assert.deepEqual([report.compared, report.drift], [3, 0]);
  });
});

/** Numbers of a cache in a store are those of a moment ago. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await holds()); await sleep(20)) {
    if (Date.now() > deadline) assert.fail(`waited in vain: ${what}`);
  }
}

test('the cache has the limits that the configuration sets', async (t) => {
  const app = await testApp(t, { services: { heroes: { cacheBytes: 65_536, ttlSeconds: 0 } } });
  const client = new HeroesClient(app);
  await client.write(Array.from({ length: 400 }, () => hero()));
  await client.read(Array.from({ length: 400 }, (_, i) => i + 1));
  await until('rows made room', async () => (await client.call('GET', '/cache')).body.evictions > 0);
  const { bytes, maxBytes, ttlSeconds } = (await client.call('GET', '/cache')).body;
  assert.deepEqual([maxBytes, ttlSeconds], [65_536, null]);
  assert.ok(bytes <= 65_536);
});

test('ten thousand random mixed requests with the cache and without give the same answers', async (t) => {
  const client = new HeroesClient(await testApp(t));
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const model = new Map<number, object>();
  let highest = 0;
  const step = async () => {
    const cache = random(2) === 0;
    const kind = random(10);
    if (kind === 0) {
      const heroes = Array.from({ length: 1 + random(3) }, () => hero({ xp: random(1000), name: `n${random(1000)}` }));
      assert.equal((await client.write(heroes, cache)).status, 200);
      for (const each of heroes) model.set(++highest, { id: highest, ...each });
    } else if (kind === 1 && highest > 0) {
      const id = 1 + random(highest);
      const { status } = await client.call('PATCH', `/${id}?cache=${cache}`, { xp: random(1000) + 1000 });
      assert.equal(status, model.has(id) ? 200 : 404);
      if (model.has(id)) model.set(id, (await client.call('GET', `/${id}?cache=false`)).body);
    } else if (kind === 2 && random(4) === 0 && highest > 0) {
      const id = 1 + random(highest);
      assert.equal((await client.call('DELETE', `/${id}?cache=${cache}`)).status, model.delete(id) ? 200 : 404);
    } else {
      const ids = Array.from({ length: 1 + random(6) }, () => 1 + random(highest + 1));
      const [cached, uncached] = await Promise.all([client.read(ids, true), client.read(ids, false)]);
      assert.deepEqual(cached.body, uncached.body);
      const found = ids.map((id) => model.get(id));
      if (found.every(Boolean)) assert.deepEqual(cached.body.body, found);
      else assert.equal(cached.status, 404);
    }
  };
  for (let requests = 0; requests < 5500; requests++) await step();
  const { hits, misses } = await client.cache();
  t.diagnostic(`${hits} hits, ${misses} misses`);
  assert.ok(hits > misses && misses > 0);
});
