import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { microsToIso, type Row } from '../../src/index.ts';
import { type TestApp, testApp } from '../../src/testing/app.ts';
import { TestClient } from './test-client.ts';

const NAMES = ['ann', 'bob', 'cid', 'dee'];

/** What one user does; `nth` picks one of the posts or conversations there are. */
type Act =
  | { readonly act: 'post' | 'reply' | 'say'; readonly text: string; readonly nth: number }
  | { readonly act: 'like' | 'unlike' | 'repost' | 'unrepost' | 'read'; readonly nth: number }
  | { readonly act: 'start'; readonly to: number; readonly text: string }
  | { readonly act: 'rename'; readonly text: string }
  /** By hand, in SQL. */
  | { readonly act: 'expire' | 'delete post' | 'delete message' | 'unread'; readonly nth: number };

const text = fc.string({ minLength: 1, maxLength: 20 }).filter((each) => each.trim() !== '' && !each.includes('\0'));
const nth = fc.nat({ max: 1000 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('post', 'reply', 'say', 'say'), text, nth }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('like', 'unlike', 'repost', 'unrepost', 'read'), nth }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('start' as const), to: fc.nat({ max: 3 }), text }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('rename' as const), text }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('expire', 'delete post', 'delete message', 'unread'), nth }),
  },
);
const rounds = fc.array(
  fc.array(fc.record({ who: fc.nat({ max: 3 }), act }), { minLength: 1, maxLength: 30, size: 'max' }),
  { minLength: 1, maxLength: 4 },
);

test('[SPEC 2] [SPEC 3] [SPEC 7] whatever many users do at once, every list, count and order is what SQL says', async (t) => {
  const app = await testApp(t);
  const nobody = new TestClient({ url: app.url });
  const users = await Promise.all(NAMES.map((name) => nobody.signUp(name)));
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      for (const round of all) {
        const world = await look(app);
        const done = await Promise.allSettled(round.map(({ who, act }) => perform(app, users[who]!, act, world)));
        for (const one of done) if (one.status === 'rejected') throw one.reason;
        await check(app, nobody, users);
      }
    }),
    { numRuns: 25 },
  );
  for (const view of app.views.filter(({ name }) => name.startsWith('cruddur/'))) {
    const { drift, examples, compared } = await view.verify();
    assert.deepEqual([drift, examples], [0, []]);
    assert.ok(compared > 0, view.name);
  }
});

interface World {
  readonly posts: readonly string[];
  readonly groups: readonly string[];
  readonly messages: readonly string[];
}

async function look({ record }: TestApp): Promise<World> {
  const uuids = async (sql: string) => (await record.query<{ uuid: string }>(sql)).map(({ uuid }) => uuid);
  return {
    posts: await uuids('select uuid from cruddur.activities order by activity_id desc limit 50'),
    groups: await uuids('select uuid from cruddur.message_groups'),
    messages: await uuids('select uuid from cruddur.messages order by message_id desc limit 20'),
  };
}

const BY_HAND = {
  expire: "update cruddur.activities set expires_at = now() - interval '1 second' where uuid = $1",
  'delete post': 'delete from cruddur.activities where uuid = $1',
  'delete message': 'delete from cruddur.messages where uuid = $1',
  unread: 'update cruddur.message_group_members set read_id = null where message_group_uuid = $1',
} as const;

const REACTIONS = {
  like: ['POST', 'like'],
  unlike: ['DELETE', 'like'],
  repost: ['POST', 'repost'],
  unrepost: ['DELETE', 'repost'],
} as const;

async function perform(app: TestApp, user: TestClient, act: Act, { posts, groups, messages }: World): Promise<void> {
  const one = (list: readonly string[]) => ('nth' in act ? list[act.nth % list.length] : undefined);
  switch (act.act) {
    case 'post':
      return good(user.call('POST', '/activities', { message: act.text, ttl: '1-hour' }));
    case 'reply':
      return good(one(posts) && user.call('POST', `/activities/${one(posts)}/reply`, { message: act.text }));
    case 'say':
      return good(
        one(groups) && user.call('POST', '/messages', { message: act.text, message_group_uuid: one(groups) }),
      );
    case 'start':
      return good(user.call('POST', '/messages', { message: act.text, handle: NAMES[act.to]! }));
    case 'read':
      return good(one(groups) && user.call('POST', `/messages/${one(groups)}/read`));
    case 'rename':
      return good(user.call('POST', '/profile/update', { display_name: act.text, bio: '' }));
    case 'like':
    case 'unlike':
    case 'repost':
    case 'unrepost': {
      const [method, path] = REACTIONS[act.act];
      return good(one(posts) && user.call(method, `/activities/${one(posts)}/${path}`));
    }
    default: {
      const uuid = one(act.act === 'unread' ? groups : act.act === 'delete message' ? messages : posts);
      if (uuid === undefined) return;
      const { receipt } = await app.record.transaction((tx) => tx.query(BY_HAND[act.act], [uuid]));
      await app.live.applied(receipt);
    }
  }
}

/** Done, or refused because it is not there any more or not this user's. */
async function good(call: Promise<{ status: number; body: unknown }> | string | undefined): Promise<void> {
  if (!call || typeof call === 'string') return;
  const { status, body } = await call;
  assert.ok([200, 403, 422].includes(status), `${status} ${JSON.stringify(body)}`);
}

const HOME = `
  select uuid, display_name, handle, message,
         (select count(*) from cruddur.activities reply where reply.reply_to = its.activity_id) as replies_count,
         (select count(*) from cruddur.reposts where reposts.activity_id = its.activity_id) as reposts_count,
         (select count(*) from cruddur.likes where likes.activity_id = its.activity_id) as likes_count,
         expires_at, its.created_at
    from (select activity_id, uuid, user_id, message, expires_at, created_at, reply_to from cruddur.activities) its
    join (select user_id, display_name, handle from cruddur.users) author using (user_id)
   where reply_to is null and expires_at > now() order by activity_id desc limit 100`;

const GROUPS = `
  with me as (select user_id from cruddur.users where handle = $1)
  select uuid, display_name, handle, message, created_at, unread_count, message_uuid from (
    select own.message_group_uuid as uuid, author.display_name, author.handle, last.message, last.created_at,
           (select count(*) from cruddur.messages sent where sent.message_group_uuid = own.message_group_uuid
              and sent.user_id <> own.user_id and sent.message_id > coalesce(own.read_id, 0)) as unread_count,
           last.uuid as message_uuid, last.message_id
      from cruddur.message_group_members own join me using (user_id)
      join cruddur.message_groups pair on pair.uuid = own.message_group_uuid
      join cruddur.users author on author.user_id = first_user_id + second_user_id - own.user_id
      join lateral (select * from cruddur.messages sent where sent.message_group_uuid = own.message_group_uuid
                     order by message_id desc limit 1) last on true) listed
   order by message_id desc`;

const PAGE = `
  select sent.uuid, display_name, handle, message, sent.created_at
    from cruddur.messages sent join cruddur.users using (user_id)
   where message_group_uuid = $1 order by message_id desc limit 20`;

/** Everything that users are shown, against SQL that counts and sorts. */
async function check({ record }: TestApp, nobody: TestClient, users: readonly TestClient[]): Promise<void> {
  const home = await nobody.call('GET', '/activities/home?limit=100');
  assert.deepEqual(home.body, (await record.query(HOME)).map(shown));
  assert.equal(home.headers.get('lockstep-source'), 'view');
  for (const [i, user] of users.entries()) {
    const groups = await user.call<{ uuid: string }[]>('GET', '/message_groups?limit=100');
    assert.deepEqual(groups.body, (await record.query(GROUPS, [NAMES[i]])).map(shown));
    for (const { uuid } of groups.body) {
      const expected = (await record.query(PAGE, [uuid])).map(shown).reverse();
      assert.deepEqual(await user.get(`/messages/${uuid}`), expected);
    }
  }
}

function shown(row: Row): Record<string, unknown> {
  const times = Object.entries(row).filter(([name]) => name.endsWith('_at'));
  return { ...row, ...Object.fromEntries(times.map(([name, time]) => [name, microsToIso(time as number)])) };
}
