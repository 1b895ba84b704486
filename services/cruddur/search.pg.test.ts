import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { Reads } from './reads.ts';
import { TestClient } from './test-client.ts';

const NFD = 'CAFE\u0301';

test('a search finds all of the words, each by its beginning, whatever stands between them', async (t) => {
  const app = await testApp(t);
  const ann = await new TestClient({ url: app.url }).signUp('ann');
  const finds = async (message: string, terms: readonly string[], not: readonly string[]) => {
    const { uuid } = await ann.post<{ uuid: string }>('/activities', { message, ttl: '1-hour' });
    for (const [expected, all] of [
      [[uuid], terms],
      [[], not],
    ] as const)
      for (const term of all) {
        const found = await ann.get<{ uuid: string }[]>(`/activities/search?term=${encodeURIComponent(term)}`);
        assert.deepEqual(
          found.map((one) => one.uuid),
          expected,
          `${term} in ${message}`,
        );
      }
    await app.record.query('delete from cruddur.activities');
  };
  await finds(
    'he/she client/server v1.5 https://example.com/path?q=1',
    ['he', 'she', 'server', 'client/server', '1.5', 'v1', 'path', 'example.com', 'https://example.com/path', 'pa exa'],
    ['erver', 'ath', 'she them', '.', '&'],
  );
  await finds('v1.5', ['1.5', 'v1', '5', 'V1.5'], ['2', '15']);
  await finds('Le CAFÉ', [NFD, 'CAFÉ', 'café', 'caf'], ['afé']);
  await finds(`Le ${NFD}`, [NFD, 'café'], []);
  await finds(
    '“hello—world” it’s snake_case a-b-c R&amp;D great👍fun 你好，世界 ｆｕｌｌ',
    [...['hello', 'world', "it's", 'it’s', 'case', 'snake_case', 'b-c', 'R&amp', 'fun', '世界', 'full', 'ｆｕ']],
    ['ello', 'ull'],
  );
  await ann.post('/profile/update', { display_name: `Dr/${NFD} O’Neil` });
  for (const term of ['café', 'neil', '@an dr', "o'ne"])
    assert.equal((await ann.get<unknown[]>(`/users/search?term=${encodeURIComponent(term)}`)).length, 1, term);
});

test('it goes by the index', async (t) => {
  const { record } = await testApp(t);
  await record.query(
    `with ann as (insert into cruddur.users (sub, handle, handle_key, display_name)
       select i::text, 'u' || i, 'u' || i, 'u' || i from generate_series(1, 5000) i returning user_id)
     insert into cruddur.activities (user_id, message, expires_at)
     select user_id, 'client/server' || user_id, now() + interval '1 day' from ann`,
  );
  await record.query('analyze cruddur.activities, cruddur.users');
  const plans: string[] = [];
  const explained = {
    query: async (sql: string, parameters: unknown[]) => {
      const lines = await record.query(`explain ${sql}`, parameters);
      plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
      return [];
    },
  };
  const reads = new Reads({ record: explained as never });
  await reads.searchActivities('server1234');
  await reads.searchUsers('u1234');
  assert.match(plans[0]!, /Bitmap Index Scan on activities_search/);
  assert.match(plans[1]!, /Bitmap Index Scan on users_search/);
});
