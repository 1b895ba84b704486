import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testApp } from '../testing/app.ts';
import { freePort } from '../testing/server-process.ts';
import { Client, Problem, type TopicMessage } from './index.ts';

type Entry = { username: string; gamedate: string; level: number; score: number };
type Boards = { overall: Entry[]; monthly: Entry[]; daily: Entry[] };
type LeaderboardApi = {
  'GET /leaderboard/scores/{date}': { query: { limit?: number }; answer: Boards };
  'POST /leaderboard/users/{username}': { body: { level: number; score: number }; answer: { score: number } };
};

const today = () => new Date().toISOString().slice(0, 10);
const account = { username: 'ann', password: 'Correct-horse-1', email: 'ann@example.org' };

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !condition(); await sleep(10)) assert.ok(Date.now() < deadline);
}

function clientOf(t: TestContext, url: string): Client<LeaderboardApi> {
  const client = new Client<LeaderboardApi>({ url });
  t.after(() => client.live.close());
  return client;
}

test('calls are typed, in the name of who is signed in; problems say what the server says', async (t) => {
  const { url } = await testApp(t);
  const client = clientOf(t, url);
  const submit = (score: number) =>
    client.call('POST /leaderboard/users/{username}', { params: { username: 'ann' }, body: { level: 1, score } });
  await assert.rejects(submit(5), (error) => {
    assert.ok(error instanceof Problem && error.requestId);
    return error.status === 401 && error.message === 'jwt must be provided';
  });
  await client.session.signUp(account);
  await client.session.logIn(account);
  assert.deepEqual(client.session.user, { username: 'ann', roles: [] });
  assert.equal((await submit(5)).score, 5);
  const boards = await client.call('GET /leaderboard/scores/{date}', {
    params: { date: today() },
    query: { limit: 1 },
  });
  assert.equal(boards.overall[0]?.score, 5);
  // @ts-expect-error: no such call
  await assert.rejects(client.call('GET /leaderboard/score'), { status: 404 });
  // @ts-expect-error: the parameter is missing
  await assert.rejects(client.call('GET /leaderboard/scores/{date}', {}), TypeError);
  await client.session.logOut();
  assert.equal(client.session.user, null);
  await assert.rejects(submit(6), { status: 401 });
});

test('the session is taken up from the storage, once for many calls at a time, and ends where it is refused', async (t) => {
  const { url } = await testApp(t);
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const first = new Client({ url, storage });
  await first.session.signUp(account);
  await first.session.logIn(account);
  const again = new Client({ url, storage });
  assert.equal(again.session.user, undefined);
  const who = await Promise.all([1, 2, 3].map(() => again.call('GET /identity/me')));
  assert.deepEqual(new Set(who.map((user) => (user as { username: string }).username)), new Set(['ann']));
  const [key] = kept.keys();
  kept.set(key!, 'x'.repeat(64));
  const refused = new Client({ url, storage });
  await refused.session.resume();
  assert.equal(refused.session.user, null);
  assert.equal(kept.size, 0);
});

test('a read after a write asks to see it; a position of another record is dropped', async (t) => {
  const { url } = await testApp(t);
  const client = clientOf(t, url);
  await client.session.signUp(account);
  await client.session.logIn(account);
  const asked: (string | null)[] = [];
  const { fetch } = globalThis;
  t.after(() => {
    globalThis.fetch = fetch;
  });
  globalThis.fetch = async (input, init) => {
    asked.push(new Headers(init?.headers).get('lockstep-min-position'));
    const answer = await fetch(input, init);
    if (init?.method === 'GET' || !String(input).includes('/leaderboard/users/ann') || asked.length > 1) return answer;
    // As if the record were restored between the write and the read.
    const headers = new Headers(answer.headers);
    headers.set('lockstep-position', 'zzzzzzzz-1');
    return new Response(await answer.text(), { status: answer.status, headers });
  };
  const read = () => client.call('GET /leaderboard/scores/{date}', { params: { date: today() } });
  const write = () =>
    client.call('POST /leaderboard/users/{username}', { params: { username: 'ann' }, body: { level: 1, score: 7 } });
  await write();
  assert.equal((await read()).overall.length, 1);
  assert.deepEqual(asked, [null, 'zzzzzzzz-1', null]);
  await write();
  assert.equal((await read()).overall.length, 2);
  assert.match(asked.at(-1)!, /^[^z]/);
});

test('subscriptions go on after the server was away, with what is true then', async (t) => {
  const app = await testApp(t, { port: await freePort() });
  const client = clientOf(t, app.url);
  await client.session.signUp(account);
  await client.session.logIn(account);
  const states: Boards[] = [];
  const topic = `leaderboard/scores/${today()}`;
  client.live.follow<Boards>(topic, {
    onMessage: (message: TopicMessage<Boards>) => {
      if (message.event === 'state') states.push(message.data);
    },
  });
  const refused: number[] = [];
  client.live.follow('leaderboard/nothing/here', { onMessage() {}, onRefused: (status) => refused.push(status) });
  await until(() => states.length > 0 && refused.length > 0);
  assert.deepEqual(refused, [404]);
  await app.restart();
  await until(() => client.live.connection === 'live');
  const submit = (score: number) =>
    client.call('POST /leaderboard/users/{username}', { params: { username: 'ann' }, body: { level: 1, score } });
  await submit(9);
  await until(() => states.at(-1)?.overall[0]?.score === 9);
});
