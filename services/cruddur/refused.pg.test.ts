import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { TestClient } from './test-client.ts';

const HALF = '"\\ud800"';
const NUL = '"a\\u0000"';

test('whatever is sent wrongly is answered with 422 and codes, also what JSON, UTF-8 or PostgreSQL cannot hold', async (t) => {
  const { url } = await testApp(t);
  const nobody = new TestClient({ url });
  const [ann] = await Promise.all(['ann', 'bob'].map((name) => nobody.signUp(name)));
  const { uuid } = await ann!.post<{ uuid: string }>('/activities', { message: 'x', ttl: '1-hour' });
  const { message_group_uuid: group } = await ann!.post<{ message_group_uuid: string }>('/messages', {
    message: 'x',
    handle: 'bob',
  });
  const posted = (path: string, body: string, ...codes: string[]) => ['POST', path, body, codes] as const;
  const got = (path: string, ...codes: string[]) => ['GET', path, undefined, codes] as const;
  const texts = [HALF, NUL].flatMap((text) => [
    posted('/activities', `{"message":${text},"ttl":"1-hour"}`, 'message_invalid'),
    posted(`/activities/${uuid}/reply`, `{"message":${text}}`, 'message_invalid'),
    posted('/messages', `{"message":${text},"handle":"bob"}`, 'message_invalid'),
    posted('/messages', `{"message":${text},"message_group_uuid":"${group}"}`, 'message_invalid'),
    posted('/messages', `{"message":"x","handle":${text}}`, 'user_receiver_handle_not_found'),
    posted('/profile/update', `{"display_name":${text}}`, 'display_name_invalid'),
    posted('/profile/update', `{"display_name":"Ann","bio":${text}}`, 'bio_invalid'),
  ]);
  const cases = [
    ...texts,
    ...['5', 'null', '["x"]'].map((bio) =>
      posted('/profile/update', `{"display_name":"Ann","bio":${bio}}`, 'bio_invalid'),
    ),
    ...['/activities', '/messages', '/profile/update', `/activities/${uuid}/reply`, `/messages/${group}/read`].flatMap(
      (path) => ['{', '', '{"__proto__":1}'].map((body) => posted(path, body, 'body_invalid')),
    ),
    got('/activities/@ann%00', 'user_not_found'),
    got('/users/@ann%00/short', 'user_not_found'),
    got(`/activities/@ann%00/status/${uuid}`, 'activity_not_found'),
    got('/activities/search?term=a&term=b', 'search_term_invalid'),
    got('/users/search?term=a&term=b', 'search_term_invalid'),
    ...['0', 'abc', '', '101', '1.5', '1&limit=2'].flatMap((limit) => [
      got(`/activities/home?limit=${limit}`, 'limit_invalid'),
      got(`/message_groups?limit=${limit}`, 'limit_invalid'),
    ]),
    got('/activities/home?limit=0&before=a&before=b', 'limit_invalid', 'before_invalid'),
    got('/activities/@ann?before=a&before=b', 'before_invalid'),
    got(`/messages/${group}?before=a&before=b`, 'before_invalid'),
  ];
  for (const [method, path, body, codes] of cases) {
    const response = await fetch(`${url}/cruddur/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ann!.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
    });
    assert.deepEqual([response.status, await response.json()], [422, codes], `${method} ${path} ${body}`);
  }
  assert.equal((await nobody.get<unknown[]>('/activities/home')).length, 1, 'and nothing was written');
  assert.equal((await ann!.get<unknown[]>(`/messages/${group}`)).length, 1);
});

test('a whole surrogate pair is text; a name is changed without the bio', async (t) => {
  const { url } = await testApp(t);
  const ann = await new TestClient({ url }).signUp('ann');
  assert.equal((await ann.post<{ message: string }>('/activities', { message: '😀', ttl: '1-hour' })).message, '😀');
  await ann.post('/profile/update', { display_name: 'Ann A', bio: 'Painter' });
  const kept = await ann.post<{ bio: string }>('/profile/update', { display_name: 'Ann B' });
  assert.equal(kept.bio, 'Painter');
  const { bio, display_name } = await ann.get<{ bio: string; display_name: string }>('/profile');
  assert.deepEqual([display_name, bio], ['Ann B', 'Painter']);
  assert.equal((await ann.post<{ bio: string }>('/profile/update', { display_name: 'Ann B', bio: '' })).bio, '');
});

test('a handle with its @ written as %40 is the same path', async (t) => {
  const { url } = await testApp(t);
  const ann = await new TestClient({ url }).signUp('ann');
  const { uuid } = await ann.post<{ uuid: string }>('/activities', { message: 'x', ttl: '1-hour' });
  for (const path of ['/activities/@ann', '/users/@ann/short', `/activities/@ann/status/${uuid}`])
    assert.deepEqual(await ann.get(path.replace('@', '%40')), await ann.get(path));
  const { paths } = (await (await fetch(`${url}/docs/json`)).json()) as { paths: object };
  assert.deepEqual(
    Object.keys(paths).filter((path) => path.includes('%40')),
    [],
  );
});
