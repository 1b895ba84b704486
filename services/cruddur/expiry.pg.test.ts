import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { ActivityWrites } from './activity-writes.ts';
import { TestClient } from './test-client.ts';

interface Shown {
  readonly uuid: string;
  readonly expires_at: string;
}

test('[SPEC 5] a post is shown until it expires and never after, though nothing changes', async (t) => {
  const app = await testApp(t);
  const ann = await new TestClient({ url: app.url }).signUp('ann');
  await ann.post('/activities', { message: 'stays', ttl: '1-hour' });
  const { uuid } = await ann.post<Shown>('/activities', { message: 'goes', ttl: '1-hour' });
  const { receipt } = await app.record.transaction((tx) =>
    tx.query("update cruddur.activities set expires_at = now() + interval '1.5 seconds' where uuid = $1", [uuid]),
  );
  await app.live.applied(receipt);
  let shown = 0;
  for (;;) {
    const asked = Date.now();
    const all = await ann.get<Shown[]>('/activities/home');
    // What had not expired when it was asked, or not when it was answered.
    for (const { expires_at } of all)
      assert.ok(Date.parse(expires_at) > asked, 'nothing is shown after it has expired');
    if (all.length === 1) break;
    shown++;
  }
  assert.ok(shown > 0);
  assert.equal((await ann.call('POST', `/activities/${uuid}/like`)).status, 422);
  assert.equal((await ann.call('GET', `/activities/@ann/status/${uuid}`)).status, 422);
  assert.equal((await ann.get<unknown[]>('/activities/search?term=goes')).length, 0);
});

test('what expired a while ago is swept, with its replies and likes, in pieces', async (t) => {
  const app = await testApp(t);
  const ann = await new TestClient({ url: app.url }).signUp('ann');
  const old = await ann.post<Shown>('/activities', { message: 'old', ttl: '1-hour' });
  const young = await ann.post<Shown>('/activities', { message: 'young', ttl: '1-hour' });
  await ann.post(`/activities/${old.uuid}/reply`, { message: 'reply' });
  await ann.post(`/activities/${old.uuid}/like`);
  await app.record.query(
    `insert into cruddur.activities (user_id, message, expires_at)
     select user_id, 'bulk', now() - interval '2 hours' from cruddur.users, generate_series(1, 2500)`,
  );
  await app.record.query("update cruddur.activities set expires_at = now() - interval '2 hours' where uuid = $1", [
    old.uuid,
  ]);
  assert.equal(await new ActivityWrites(app).sweep(), 2501);
  const left = await app.record.query('select uuid from cruddur.activities');
  assert.deepEqual(left, [{ uuid: young.uuid }]);
  assert.deepEqual(await app.record.query('select * from cruddur.likes'), []);
});
