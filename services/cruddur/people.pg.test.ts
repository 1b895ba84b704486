import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { User } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { handleKey, People } from './people.ts';
import { TestClient } from './test-client.ts';

const stranger = (sub: string, username: string): User => ({ sub, username, email: null, roles: [] });

test('a user is there from the sign-up on, in its transaction', async (t) => {
  const app = await testApp(t);
  await new TestClient({ url: app.url }).signUp('Ann');
  const [row] = await app.record.query(
    `select handle, display_name, sub = (select id::text from lockstep.users where username = 'Ann') as same
       from cruddur.users`,
  );
  assert.deepEqual(row, { handle: 'Ann', display_name: 'Ann', same: true });
  await app.record.query(
    "insert into cruddur.users (sub, handle, handle_key, display_name) values ('x', 'bob', 'bob', 'x')",
  );
  await app.record.query('alter table cruddur.users add constraint short check (length(handle) < 5)');
  await assert.rejects(new TestClient({ url: app.url }).signUp('Benjamin'));
  assert.deepEqual(await app.record.query('select username from lockstep.users'), [{ username: 'Ann' }]);
});

test("an external issuer's users are made at their first call, once, under a handle of their own", async (t) => {
  const { record } = await testApp(t);
  const calls = Array.from({ length: 8 }, () => new People({ record }).find(stranger('issuer|1', 'Zoë')));
  assert.equal(new Set((await Promise.all(calls)).map(({ id }) => id)).size, 1);
  const people = new People({ record });
  const others = await Promise.all(
    ['2', '3', '4'].map((sub) => people.find(stranger(sub, sub === '4' ? 'ZOË' : 'zoë'))),
  );
  assert.equal(new Set(others.map(({ id }) => id)).size, 3);
  const rows = await record.query<{ handle: string }>('select handle from cruddur.users');
  assert.equal(rows.length, 4);
  assert.equal(new Set(rows.map(({ handle }) => handleKey(handle))).size, 4, 'unique without regard to case');
  assert.equal(people.remembered(stranger('2', 'whatever now')), others[0], 'known from then on, whatever the name');
});
