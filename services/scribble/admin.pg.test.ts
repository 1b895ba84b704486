import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { BinaryClient, JsonClient, until } from './test-clients.ts';

test('admins keep the canvas in order', async (suite) => {
  const app = await testApp(suite, { trustProxy: true });
  const url = `${app.url}/scribble`;
  const call = async (method: string, path: string, token?: string, body?: unknown) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const logIn = async (username: string, role?: string) => {
    const account = { username, password: 'Tr0ub4dour', email: `${username}@example.com` };
    await app.identity.signUp(account);
    if (role) await app.identity.grant(username, role);
    return (await app.identity.login({ ...account, address: '::1' })).idToken;
  };
  const admin = await logIn('warden', 'admin');
  const vandal = await logIn('vandal');
  const canvas = await BinaryClient.open(suite, url);
  await until('the canvas', () => canvas.canvases === 1);
  const shown = (code: number, ...cells: number[]) =>
    until(`${cells} to be ${code}`, () => cells.every((cell) => canvas.codes[cell] === code));

  await suite.test('[SPEC 9] nobody else may', async () => {
    for (const [method, path, body] of [
      ['POST', '/rollback', { username: 'x', from: '2026-01-01' }],
      ['POST', '/rollback', { from: 7 }],
      ['POST', '/clear', undefined],
      ['POST', '/bans', { username: 'x', reason: 'y' }],
      ['POST', '/bans', []],
      ['GET', '/bans', undefined],
      ['DELETE', '/bans/1', undefined],
      ['DELETE', '/bans/none', undefined],
      ['GET', '/points?x=1&y=1', undefined],
      ['GET', '/points?x=here', undefined],
    ] as const) {
      assert.equal((await call(method, path, undefined, body)).status, 401, path);
      assert.equal((await call(method, path, vandal, body)).status, 403, path);
    }
  });

  await suite.test("a user's points are rolled back, others' stay", async () => {
    const client = await BinaryClient.open(suite, url, { headers: { authorization: vandal } });
    canvas.draw(1, [[10, 1]]);
    await until('stored', () => canvas.stored.includes(1));
    client.draw(1, [
      [10, 2],
      [11, 2],
      [12, 2],
    ]);
    await until('stored', () => client.stored.includes(1));
    canvas.draw(2, [[12, 3]]);
    await shown(3, 12);
    const who = await call('GET', '/points?x=10&y=0', admin);
    assert.deepEqual(
      (who.body.points as { username: string; color: number }[]).map(({ username, color }) => [username, color]),
      [
        ['vandal', 1],
        [null, 0],
      ],
    );
    const { status, body } = await call('POST', '/rollback', admin, { username: 'VANDAL', from: '2026-01-01' });
    assert.deepEqual([status, body], [200, { points: 3, cells: 2 }]);
    await shown(1, 10);
    await shown(0, 11);
    await shown(3, 12);
    const range = { username: 'vandal', from: '2020-01-01', to: '2020-01-02' };
    assert.deepEqual((await call('POST', '/rollback', admin, range)).body, { points: 0, cells: 0 });
    assert.equal((await call('POST', '/rollback', admin, { from: '2020-01-01' })).status, 400);
    assert.equal((await call('POST', '/rollback', admin, { username: 'vandal', from: 'noon' })).status, 400);
    assert.equal((await call('POST', '/rollback', admin, { username: 'x', from: '2020-01-01' })).status, 404);
  });

  await suite.test('a banned user is disconnected, refused, and let in again', async () => {
    const options = { headers: { authorization: vandal } };
    const client = await JsonClient.open(suite, url, options);
    const { body: ban } = await call('POST', '/bans', admin, { username: 'vandal', reason: 'scrawls' });
    assert.deepEqual([ban.username, ban.address, ban.banned_by, ban.until], ['vandal', null, 'warden', null]);
    assert.equal((await client.closed).code, 1008);
    await assert.rejects(JsonClient.open(suite, url, options), /403/);
    // On another node the socket is still open: what it draws is refused by the record.
    const other = await JsonClient.open(suite, url);
    other.send({ action: 'authenticate', token: vandal });
    await until('the name', () => other.messages.some((each) => each.authenticated === 'vandal'));
    other.draw(500, 500);
    await until('the refusal', () => other.errors.length === 1);
    assert.deepEqual(other.errors[0], { status: 403, message: 'You are banned from drawing on this canvas.' });
    assert.equal(canvas.codes[500_500], 0);
    const bans = (await call('GET', '/bans', admin)).body.bans as { ban_id: number }[];
    assert.equal(bans.length, 1);
    assert.equal((await call('DELETE', `/bans/${bans[0]!.ban_id}`, admin)).status, 200);
    assert.equal((await call('DELETE', `/bans/${bans[0]!.ban_id}`, admin)).status, 404);
    other.draw(500, 500);
    await shown(1, 500_500);
  });

  await suite.test('a ban is of whom the sockets name, however it is written, or is refused', async () => {
    const ban = async (body: object) => {
      const answer = await call('POST', '/bans', admin, { reason: 'test', ...body });
      return { ...answer, ...(answer.body as { username: string; address: string; message: string }) };
    };
    const client = await JsonClient.open(suite, url, { headers: { authorization: vandal } });
    assert.equal((await ban({ username: 'VanDal' })).username, 'vandal');
    assert.equal((await client.closed).code, 1008);
    for (const [written, meant] of [
      ['2001:DB8::0001', '2001:db8::1'],
      ['::FFFF:203.0.113.7', '203.0.113.7'],
      ['::ffff:cb00:7107', '203.0.113.7'],
      ['203.0.113.7', '203.0.113.7'],
    ])
      assert.equal((await ban({ address: written })).address, meant);
    const headers = { 'x-forwarded-for': '::FFFF:203.0.113.7' };
    await assert.rejects(JsonClient.open(suite, url, { headers }), /403/);
    for (const address of ['not an ip', '203.0.113.007', '203.0.113.0/24'])
      assert.match((await ban({ address })).message, /^address must be an IP address such as 203\.0\.113\.7, found /);
    const unknown = await ban({ username: 'nobody' });
    assert.deepEqual([unknown.status, unknown.message], [404, 'There is no user "nobody".']);
    for (const until of ['0000-01-01', '9999-12-31T23:59:59-01:00'])
      assert.match((await ban({ username: 'vandal', until })).message, /^until must be a time /);
    await app.record.query('delete from scribble.bans');
  });

  await suite.test('a ban that has run out bans nobody; an address is banned like a user', async () => {
    await call('POST', '/bans', admin, { address: '127.0.0.1', reason: 'past', until: '2026-01-01' });
    const client = await JsonClient.open(suite, url);
    await call('POST', '/bans', admin, { address: '127.0.0.1', reason: 'now' });
    assert.equal((await client.closed).code, 1008);
    await assert.rejects(JsonClient.open(suite, url), /403/);
    await app.record.query('delete from scribble.bans');
  });

  await suite.test('the canvas is cleared, and the history stays', async () => {
    const back = await BinaryClient.open(suite, url);
    back.draw(9, [[42, 4]]);
    await until('stored', () => back.stored.includes(9));
    const { status, body } = await call('POST', '/clear', admin);
    assert.equal(status, 200);
    assert.ok((body.cells as number) >= 3);
    await until('an empty canvas', () => back.codes.every((code) => code === 0));
    const [row] = await app.record.query<{ points: number }>(
      'select count(*) as points from scribble.points where index = 42',
    );
    assert.equal(row!.points, 2);
  });
});
