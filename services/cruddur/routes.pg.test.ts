import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestApp, testApp } from '../../src/testing/app.ts';
import { TestClient } from './test-client.ts';

const HOUR = 3600_000;
const NONE = '00000000-0000-7000-8000-000000000000';

interface Activity {
  readonly uuid: string;
  readonly handle: string;
  readonly display_name: string;
  readonly message: string;
  readonly replies_count: number;
  readonly likes_count: number;
  readonly reposts_count: number;
  readonly expires_at: string;
  readonly created_at: string;
}

interface Group {
  readonly uuid: string;
  readonly display_name: string;
  readonly handle: string;
  readonly message: string;
  readonly created_at: string;
  readonly unread_count: number;
  readonly message_uuid: string;
}

type Message = Pick<Activity, 'uuid' | 'handle' | 'display_name' | 'message' | 'created_at'>;

async function start(
  t: TestContext,
  ...names: string[]
): Promise<{ app: TestApp; nobody: TestClient; users: TestClient[] }> {
  const app = await testApp(t);
  const nobody = new TestClient({ url: app.url });
  return { app, nobody, users: await Promise.all(names.map((name) => nobody.signUp(name))) };
}

test('posts, replies, likes and reposts, as the contract says', async (t) => {
  const { nobody, users } = await start(t, 'Ann', 'bob');
  const [ann, bob] = users as [TestClient, TestClient];
  const post = await ann.post<Activity>('/activities', { message: 'Hello @Bob', ttl: '1-hour' });
  assert.deepEqual(Object.keys(post).sort(), [
    'created_at',
    'display_name',
    'expires_at',
    'handle',
    'likes_count',
    'message',
    'replies_count',
    'reposts_count',
    'uuid',
  ]);
  assert.equal(Date.parse(post.expires_at) - Date.parse(post.created_at), HOUR);
  assert.deepEqual(await nobody.get('/activities/home'), [post]);
  for (let twice = 0; twice < 2; twice++) {
    await bob.post(`/activities/${post.uuid}/like`);
    await bob.post(`/activities/${post.uuid}/repost`);
  }
  const reply = await bob.post<Activity>(`/activities/${post.uuid}/reply`, { message: 'Hi there' });
  assert.equal(reply.expires_at, post.expires_at);
  const counted = { ...post, likes_count: 1, reposts_count: 1, replies_count: 1 };
  assert.deepEqual(await nobody.get('/activities/home'), [counted]);
  const { reply_to_activity_uuid, ...shown } = reply as Activity & { reply_to_activity_uuid: string };
  assert.equal(reply_to_activity_uuid, post.uuid);
  assert.deepEqual(await nobody.get(`/activities/@ann/status/${post.uuid}`), { activity: counted, replies: [shown] });
  const news = await ann.get<(Activity & { type: string })[]>('/activities/notifications');
  assert.deepEqual(news.map(({ type, handle }) => `${type} ${handle}`).sort(), ['like bob', 'reply bob', 'repost bob']);
  const named = await bob.get<(Activity & { type: string })[]>('/activities/notifications');
  assert.deepEqual(
    named.map(({ type, handle, uuid }) => [type, handle, uuid]),
    [['mention', 'Ann', post.uuid]],
  );
  assert.deepEqual(await bob.get('/activities/reactions'), { likes: [post.uuid], reposts: [post.uuid] });
  for (let twice = 0; twice < 2; twice++) await bob.delete(`/activities/${post.uuid}/like`);
  assert.deepEqual(await nobody.get('/activities/home'), [{ ...counted, likes_count: 0 }]);
});

test('profiles, search and names, as the contract says', async (t) => {
  const { nobody, users } = await start(t, 'Ann', 'bob');
  const [ann, bob] = users as [TestClient, TestClient];
  const post = await ann.post<Activity>('/activities', { message: "It's a fine day; drop table & '!", ttl: '7-days' });
  const short = await nobody.get<{ uuid: string }>('/users/@ANN/short');
  assert.deepEqual(short, { uuid: short.uuid, handle: 'Ann', display_name: 'Ann' });
  assert.deepEqual(await nobody.get('/activities/@ann'), {
    profile: { ...short, bio: '', cruds_count: 1 },
    activities: [post],
  });
  assert.deepEqual(await nobody.get('/activities/search?term=fine%20DA'), [post]);
  for (const term of ["'", "' or 1=1 --", '\\', '!:*&|', ':*', 'drop <-> table'])
    assert.equal((await nobody.call('GET', `/activities/search?term=${encodeURIComponent(term)}`)).status, 200, term);
  assert.deepEqual(await nobody.get('/users/search?term=@an'), [short]);
  await bob.post('/messages', { message: 'hello', handle: 'ann' });
  await ann.post('/profile/update', { display_name: 'Ann Lee', bio: 'Painter' });
  const [group] = await bob.get<Group[]>('/message_groups');
  assert.equal(group!.display_name, 'Ann Lee');
  assert.equal((await nobody.get<Activity[]>('/activities/home'))[0]!.display_name, 'Ann Lee');
  assert.deepEqual(await nobody.get('/users/search?term=lee'), [{ ...short, display_name: 'Ann Lee' }]);
});

test('conversations: one for two people, the latest first, unread counts on every device', async (t) => {
  const { users } = await start(t, 'ann', 'bob', 'cid');
  const [ann, bob, cid] = users as [TestClient, TestClient, TestClient];
  const started = await Promise.all([
    ann.post<{ message_group_uuid: string }>('/messages', { message: 'from ann', handle: 'bob' }),
    bob.post<{ message_group_uuid: string }>('/messages', { message: 'from bob', handle: '@Ann' }),
  ]);
  const group = started[0].message_group_uuid;
  assert.equal(started[1].message_group_uuid, group, 'two who start at once get one conversation');
  await cid.post('/messages', { message: 'from cid', handle: 'ann' });
  const message = await bob.post<Message>('/messages', { message: 'again', message_group_uuid: group });
  assert.deepEqual(Object.keys(message), ['uuid', 'display_name', 'handle', 'message', 'created_at']);
  const groups = await ann.get<Group[]>('/message_groups');
  assert.deepEqual(
    groups.map((one) => [one.handle, one.message, one.unread_count]),
    [
      ['bob', 'again', 2],
      ['cid', 'from cid', 1],
    ],
  );
  const page = await ann.get<Message[]>(`/messages/${group}`);
  assert.deepEqual(page.at(-1), message);
  assert.deepEqual(
    page
      .map((one) => one.message)
      .slice(0, 2)
      .sort(),
    ['from ann', 'from bob'],
  );
  await ann.post(`/messages/${group}/read`, { message_uuid: page.at(1)!.uuid });
  await ann.post(`/messages/${group}/read`, { message_uuid: page.at(0)!.uuid });
  assert.equal((await ann.get<Group[]>('/message_groups'))[0]!.unread_count, 1, 'a mark never goes back');
  await ann.post(`/messages/${group}/read`);
  assert.equal((await ann.get<Group[]>('/message_groups'))[0]!.unread_count, 0);
  assert.equal((await bob.get<Group[]>('/message_groups'))[0]!.unread_count, 1);
});

test('pages go back to the first message, and the list of conversations to the last', async (t) => {
  const { users } = await start(t, 'ann', 'bob', 'cid', 'dan');
  const [ann] = users as [TestClient];
  const started = await ann.post<{ message_group_uuid: string }>('/messages', { message: '0', handle: 'bob' });
  for (let i = 1; i < 45; i++)
    await ann.post('/messages', { message: `${i}`, message_group_uuid: started.message_group_uuid });
  const texts: string[] = [];
  let before = '';
  for (let pages = 0; pages < 4; pages++) {
    const page = await ann.get<Message[]>(`/messages/${started.message_group_uuid}${before}`);
    texts.unshift(...page.map(({ message }) => message));
    if (page.length > 0) before = `?before=${page[0]!.uuid}`;
  }
  assert.deepEqual(
    texts,
    Array.from({ length: 45 }, (_, i) => `${i}`),
  );
  for (const handle of ['cid', 'dan']) await ann.post('/messages', { message: 'hi', handle });
  const [first, second] = await ann.get<Group[]>('/message_groups?limit=2');
  assert.deepEqual([first!.handle, second!.handle], ['dan', 'cid']);
  const rest = await ann.get<Group[]>(`/message_groups?limit=2&before=${second!.message_uuid}`);
  assert.deepEqual(
    rest.map(({ handle }) => handle),
    ['bob'],
  );
});

test('the codes of what is sent wrongly', async (t) => {
  const { users } = await start(t, 'ann', 'bob');
  const [ann, bob] = users as [TestClient, TestClient];
  const { uuid } = await ann.post<Activity>('/activities', { message: 'x'.repeat(280), ttl: '30-days' });
  const { message_group_uuid: group } = await ann.post<{ message_group_uuid: string }>('/messages', {
    message: 'é'.repeat(1024),
    handle: 'bob',
  });
  const long = { reply: 'x'.repeat(1025), post: '😀'.repeat(281) };
  const cases: [method: string, path: string, body: unknown, codes: string[]][] = [
    ['POST', '/activities', {}, ['ttl_blank', 'message_blank']],
    ['POST', '/activities', undefined, ['ttl_blank', 'message_blank']],
    ['POST', '/activities', { message: ' ', ttl: '2-days' }, ['ttl_blank', 'message_blank']],
    ['POST', '/activities', { message: long.post, ttl: '1-day' }, ['message_exceed_max_chars']],
    ['POST', '/activities', { message: 7, ttl: ['1-day'] }, ['ttl_blank', 'message_blank']],
    ['POST', '/activities/%20/reply', { message: '' }, ['activity_uuid_blank', 'message_blank']],
    ['POST', `/activities/${uuid}/reply`, { message: long.reply }, ['message_exceed_max_chars_1024']],
    ['POST', `/activities/${NONE}/reply`, { message: 'x' }, ['activity_not_found']],
    ['POST', `/activities/${NONE}/like`, undefined, ['activity_not_found']],
    ['DELETE', '/activities/none/repost', undefined, ['activity_uuid_blank']],
    ['GET', '/activities/search', undefined, ['search_term_blank']],
    ['GET', '/users/search?term=%20', undefined, ['search_term_blank']],
    ['GET', '/activities/@nobody', undefined, ['user_not_found']],
    ['GET', '/users/@nobody/short', undefined, ['user_not_found']],
    ['GET', `/activities/@bob/status/${uuid}`, undefined, ['activity_not_found']],
    ['GET', '/activities/home?before=x', undefined, ['before_invalid']],
    ['POST', '/profile/update', { bio: 'x' }, ['display_name_blank']],
    ['POST', '/messages', { message: 'x' }, ['user_receiver_handle_blank']],
    ['POST', '/messages', { message: '', handle: ' ' }, ['user_receiver_handle_blank', 'message_blank']],
    ['POST', '/messages', { message: 'x', handle: 'nobody' }, ['user_receiver_handle_not_found']],
    ['POST', '/messages', { message: 'x', message_group_uuid: '' }, ['message_group_uuid_blank']],
    ['POST', '/messages', { message: long.reply, message_group_uuid: group }, ['message_exceed_max_chars_1024']],
    ['GET', `/messages/${group}?before=${NONE}`, undefined, ['before_invalid']],
    ['POST', `/messages/${group}/read`, { message_uuid: NONE }, ['message_uuid_not_found']],
  ];
  for (const [method, path, body, codes] of cases) {
    const called = await ann.call(method, path, body);
    assert.deepEqual(
      [called.status, called.body],
      [422, codes],
      `${method} ${path} ${JSON.stringify(body)?.slice(0, 60)}`,
    );
  }
  assert.equal((await bob.get<Group[]>('/message_groups')).length, 1, 'bad input wrote nothing');
});

test('[SPEC 9] without a token, 401; with the token, the uuid or the cursor of somebody else, nothing of theirs', async (t) => {
  const { nobody, users } = await start(t, 'ann', 'bob', 'eve');
  const [ann, bob, eve] = users as [TestClient, TestClient, TestClient];
  const { message_group_uuid: group } = await ann.post<{ message_group_uuid: string }>('/messages', {
    message: 'secret',
    handle: 'bob',
  });
  const { message_group_uuid: hers } = await eve.post<{ message_group_uuid: string }>('/messages', {
    message: 'mine',
    handle: 'bob',
  });
  const [secret] = await bob.get<Message[]>(`/messages/${group}`);
  const { uuid } = await ann.post<Activity>('/activities', { message: 'public', ttl: '1-day' });
  const needToken: [string, string, unknown?][] = [
    ['POST', '/activities', { message: 'x', ttl: '1-day' }],
    ['POST', `/activities/${uuid}/reply`, { message: 'x' }],
    ['POST', `/activities/${uuid}/like`],
    ['DELETE', `/activities/${uuid}/like`],
    ['POST', `/activities/${uuid}/repost`],
    ['DELETE', `/activities/${uuid}/repost`],
    ['GET', '/activities/notifications'],
    ['GET', '/activities/reactions'],
    ['GET', '/profile'],
    ['POST', '/profile/update', { display_name: 'x' }],
    ['GET', '/message_groups'],
    ['GET', `/messages/${group}`],
    ['POST', '/messages', { message: 'x', handle: 'ann' }],
    ['POST', '/messages', { message: 'x', message_group_uuid: group }],
    ['POST', `/messages/${group}/read`],
    ['POST', `/messages/${group}/typing`],
    ['GET', '/inbox/stream'],
  ];
  const forger = new TestClient({ url: nobody.url, token: `${ann.token}x` });
  for (const [method, path, body] of needToken)
    for (const client of [nobody, forger])
      assert.equal((await client.call(method, path, body)).status, 401, `${method} ${path}`);
  const forbidden: [string, string, unknown?][] = [
    ['GET', `/messages/${group}`],
    ['GET', `/messages/${NONE}`],
    ['GET', `/messages/${group}?before=${secret!.uuid}`],
    ['POST', '/messages', { message: 'x', message_group_uuid: group }],
    ['POST', `/messages/${group}/read`],
    ['POST', `/messages/${group}/read`, { message_uuid: secret!.uuid }],
    ['POST', `/messages/${group}/typing`],
  ];
  for (const [method, path, body] of forbidden)
    for (let often = 0; often < 5; often++)
      assert.equal((await eve.call(method, path, body)).status, 403, `${method} ${path}`);
  for (const path of [`/messages/${hers}?before=${secret!.uuid}`, `/message_groups?before=${secret!.uuid}`])
    assert.deepEqual((await eve.call('GET', path)).body, ['before_invalid'], path);
  assert.equal((await eve.call('POST', `/messages/${hers}/read`, { message_uuid: secret!.uuid })).status, 422);
  assert.deepEqual(
    (await eve.get<Group[]>('/message_groups')).map(({ message }) => message),
    ['mine'],
  );
  const { topic } = await ann.get<{ topic: string }>('/profile');
  for (const client of [nobody, eve]) {
    const followed = await client.follow(t, topic);
    assert.ok('error' in followed.answer!, JSON.stringify(followed.answer));
    await bob.post('/messages', { message: 'more', message_group_uuid: group });
    assert.deepEqual(followed.got, []);
  }
  assert.deepEqual(
    (await bob.get<Message[]>(`/messages/${group}`)).map(({ message }) => message),
    ['secret', 'more', 'more'],
  );
});
