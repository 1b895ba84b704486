import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDeferredViews } from '../../src/testing/deferred-views.ts';
import { testServices } from '../../src/testing/services.ts';
import cruddur from './service.ts';
import { TestClient } from './test-client.ts';

test('[SPEC 2] views that never answer at once: everything is pushed all the same, in commit order', async (t) => {
  const app = await testServices(t, [withDeferredViews(cruddur as never)]);
  const nobody = new TestClient({ url: app.url });
  const [ann, bob] = await Promise.all([nobody.signUp('ann'), nobody.signUp('bob')]);
  const { topic } = await bob.get<{ topic: string }>('/profile');
  const [inbox, home] = [await bob.follow(t, topic), await nobody.follow(t, 'cruddur/feed/home')];
  const { message_group_uuid: group } = await ann.post<{ message_group_uuid: string }>('/messages', {
    message: '0',
    handle: 'bob',
  });
  for (let i = 1; i < 50; i++)
    await (i % 3 === 0 ? bob : ann).post('/messages', { message: String(i), message_group_uuid: group });
  await bob.post(`/messages/${group}/read`);
  const { uuid } = await ann.post<{ uuid: string }>('/activities', { message: 'a post', ttl: '1-hour' });
  await bob.post(`/activities/${uuid}/like`);
  await inbox.sees({ type: 'read' });
  await home.sees({ type: 'counts', uuid, likes_count: 1 });
  const messages = inbox.got.filter(({ type }) => type === 'message');
  assert.deepEqual(
    messages.map(({ message, handle }) => [message, handle]),
    Array.from({ length: 50 }, (_, i) => [String(i), i % 3 === 0 && i > 0 ? 'bob' : 'ann']),
  );
  assert.deepEqual(
    home.got.map(({ type, handle }) => [type, handle]),
    [
      ['post', 'ann'],
      ['counts', undefined],
    ],
  );
  const [listed] = await bob.get<{ unread_count: number; message: string }[]>('/message_groups');
  assert.deepEqual([listed!.unread_count, listed!.message], [0, '49']);
});
