import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testApp } from '../../src/testing/app.ts';
import { allReady, nodes, until } from '../../src/testing/node-group.ts';
import type { TestApp } from '../../src/testing/services.ts';
import { recreate } from './seed.ts';
import { TestClient } from './test-client.ts';

interface Group {
  readonly uuid: string;
  readonly handle: string;
  readonly message: string;
}

const NAMES = ['ann', 'bob', 'eve'];

/** Everybody does everything once, so that whoever remembers numbers knows all of them. */
async function callOnce(clients: readonly TestClient[]): Promise<void> {
  for (const client of clients) {
    const { handle } = await client.get<{ handle: string }>('/profile');
    const { message_group_uuid: group } = await client.post<{ message_group_uuid: string }>('/messages', {
      message: `to ${handle}`,
      handle,
    });
    await client.post(`/messages/${group}/typing`);
    await client.get('/message_groups');
  }
}

/** Their one conversation, once the view has it; before that they see what they had, and never anything of others. */
async function listed(client: TestClient, name: string): Promise<Group> {
  for (;;) {
    const [group] = await client.get<Group[]>('/message_groups');
    if (group) assert.equal(group.handle, name);
    if (group && group.message !== `to ${name}`) {
      assert.equal(group.message, `of ${name}`);
      return group;
    }
    await sleep(2);
  }
}

/** Whoever calls is who they are: in what they read, write, are called and are sent. */
async function checkAll(clients: readonly TestClient[]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    const name = NAMES[i]!;
    const { uuid: group } = await listed(client, name);
    assert.equal((await client.get<{ handle: string }[]>(`/messages/${group}`))[0]!.handle, name);
    const sent = await client.post<{ handle: string }>('/messages', {
      message: `of ${name}`,
      message_group_uuid: group,
    });
    assert.equal(sent.handle, name);
    await client.post(`/messages/${group}/read`);
    await client.post(`/messages/${group}/typing`);
    const next = (i + 1) % clients.length;
    const { uuid: other } = await listed(clients[next]!, NAMES[next]!);
    for (const [method, path] of [
      ['POST', '/read'],
      ['POST', '/typing'],
      ['GET', ''],
    ] as const)
      assert.equal((await client.call(method, `/messages/${other}${path}`)).status, 403);
    const post = await client.post<{ uuid: string; handle: string }>('/activities', { message: 'x', ttl: '1-hour' });
    assert.equal(post.handle, name);
    const reply = await client.post<{ handle: string }>(`/activities/${post.uuid}/reply`, { message: 'x' });
    assert.equal(reply.handle, name);
    await client.post(`/activities/${post.uuid}/like`);
    assert.equal((await client.get<{ likes: string[] }>('/activities/reactions')).likes[0], post.uuid);
    assert.deepEqual(await client.get('/activities/notifications'), []);
    const renamed = await client.post<{ handle: string }>('/profile/update', { display_name: `${name}!`, bio: '' });
    assert.equal(renamed.handle, name);
  }
}

/** The same people under one another's numbers, each with a conversation with themself. */
async function renumber({ record }: Pick<TestApp, 'record'>): Promise<void> {
  await record.transaction(async (tx) => {
    const people = await tx.query<{ sub: string; handle: string }>(
      'select sub, handle from cruddur.users order by handle',
    );
    await tx.query('truncate cruddur.users cascade');
    for (const [i, { sub, handle }] of people.entries()) {
      await tx.query(
        `with made as (insert into cruddur.users (user_id, sub, handle, handle_key, display_name)
           values ($1, $2, $3, $3, $3) returning user_id),
         pair as (insert into cruddur.message_groups (first_user_id, second_user_id)
           select user_id, user_id from made returning uuid),
         joined as (insert into cruddur.message_group_members (message_group_uuid, user_id)
           select uuid, user_id from pair, made)
         insert into cruddur.messages (message_group_uuid, user_id, message) select uuid, user_id, 'of ' || $3 from pair, made`,
        [((i + 1) % people.length) + 1, sub, handle],
      );
    }
  });
}

test("[SPEC 9] no number that is remembered ever acts for another user: not when all are given one another's", async (t) => {
  const app = await testApp(t);
  const nobody = new TestClient({ url: app.url });
  const clients: TestClient[] = [];
  for (const name of NAMES) clients.push(await nobody.signUp(name));
  for (let round = 0; round < 3; round++) {
    await callOnce(clients);
    await renumber(app);
    await checkAll(clients);
  }
});

test('[SPEC 9] nor on another node, which hears of it later', async (t) => {
  const { apps, record } = await nodes(t, 2);
  await until('both nodes', allReady(apps));
  const nobody = new TestClient({ url: apps[0]!.url });
  const tokens: string[] = [];
  for (const name of NAMES) tokens.push((await nobody.signUp(name)).token!);
  const on = ({ url }: TestApp) => tokens.map((token) => new TestClient({ url, token }));
  for (const app of apps) await callOnce(on(app));
  await renumber({ record });
  for (const app of apps) await checkAll(on(app));
});

test('a user who is gone from the record is made anew at their next call, whatever it is', async (t) => {
  const app = await testApp(t);
  const nobody = new TestClient({ url: app.url });
  const ann = await nobody.signUp('ann');
  const calls: [string, string, unknown?][] = [
    ['POST', '/activities', { message: 'x', ttl: '1-hour' }],
    ['GET', '/profile'],
    ['POST', '/profile/update', { display_name: 'Ann' }],
    ['POST', '/messages', { message: 'x', handle: 'ann' }],
    ['GET', '/message_groups'],
    ['GET', '/activities/notifications'],
  ];
  for (const [method, path, body] of calls) {
    await callOnce([ann]);
    await app.record.query("delete from cruddur.users where handle = 'ann'");
    const { status, body: answer } = await ann.call(method, path, body);
    assert.equal(status, 200, `${method} ${path} ${JSON.stringify(answer)}`);
  }
});

test('tables that are made anew draw on from the numbers of before', async (t) => {
  const app = await testApp(t);
  const nobody = new TestClient({ url: app.url });
  for (const name of NAMES) await nobody.signUp(name);
  await app.record.query("delete from cruddur.users where handle = 'eve'");
  await recreate(app.record);
  await recreate(app.record);
  await nobody.signUp('fay');
  assert.deepEqual(await app.record.query('select user_id, handle from cruddur.users'), [
    { user_id: 4, handle: 'fay' },
  ]);
});
