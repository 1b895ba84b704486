import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../client/index.ts';
import { type TestApp, testApp } from '../../testing/app.ts';
import type { ConsoleDetails, ConsoleStatus } from './console.ts';
import type { RecentChanges } from './topics.ts';

const account = { username: 'ann', password: 'Correct-horse-1', email: 'ann@example.org' };

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !condition(); await sleep(10)) assert.ok(Date.now() < deadline);
}

async function signedIn(t: TestContext, app: TestApp): Promise<Client> {
  const client = new Client({ url: app.url });
  t.after(() => client.live.close());
  await client.session.signUp(account);
  await client.session.logIn(account);
  return client;
}

async function admin(t: TestContext, app: TestApp): Promise<Client> {
  const client = await signedIn(t, app);
  await app.identity.grant('ann', 'admin');
  await client.session.renew();
  return client;
}

const PATHS = ['status', 'overview', 'history', 'details', 'dead-letters?projection=taxi/rides'];

test('[SPEC 9] the console is for admins: every path and topic', async (t) => {
  const app = await testApp(t);
  const client = await signedIn(t, app);
  const refused: [string, number][] = [];
  const calls = [
    ...PATHS.map((path) => `GET /console/api/${path}`),
    ...['verify', 'rebuild', 'retry?projection=x'].map((path) => `POST /console/api/${path}`),
  ];
  for (const call of calls) {
    await assert.rejects(client.send(call), (error: { status: number; message: string }) => {
      assert.equal(error.status, 403, call);
      assert.match(error.message, /lockstep users grant ann admin/);
      return true;
    });
    await assert.rejects(new Client({ url: app.url }).send(call), { status: 401 });
  }
  for (const topic of ['console/status/now', 'console/changes/*']) {
    client.live.follow(topic, {
      onMessage: ({ event }) => refused.push([event, 0]),
      onRefused: (status) => refused.push([topic, status]),
    });
  }
  await until(() => refused.length === 2);
  assert.deepEqual(refused, [
    ['console/status/now', 403],
    ['console/changes/*', 403],
  ]);
});

test('the status comes every second: positions, clients, this node', async (t) => {
  const app = await testApp(t);
  const client = await admin(t, app);
  const seen: ConsoleStatus[] = [];
  client.live.follow<ConsoleStatus>('console/status/now', {
    onMessage: ({ event, data }) => void (event === 'signal' && seen.push(data)),
  });
  await until(() => seen.length >= 2);
  const status = seen.at(-1)!;
  assert.equal(status.clients.websockets, 1);
  assert.equal(status.clients.subscriptions, 1);
  assert.ok(status.clients.sent >= 1 && status.requests > 0);
  assert.equal(status.nodes.length, 1);
  const [node] = status.nodes;
  assert.deepEqual([node!.pid, node!.url, node!.leading, node!.ready], [process.pid, app.url, true, true]);
  assert.ok(status.tables.includes('leaderboard.games'));
  assert.match(status.recordEnd, /^\w+-\w+$/);
  const { record, routes } = (await client.send<ConsoleDetails>('GET /console/api/details')).body;
  assert.ok(record!.slots.some(({ name, active }) => active && name === status.live.slot!.name));
  assert.ok(
    record!.slots.some(({ temporary }) => !temporary),
    "the projection's slot lasts",
  );
  assert.ok(record!.databaseBytes > 0);
  assert.ok(routes.some(({ route, p99 }) => route === '/identity/login' && p99 > 0));
  const { times } = (await client.send<{ times: number[] }>('GET /console/api/history')).body;
  assert.ok(Array.isArray(times));
});

test('[SPEC 8] changes of a table come as they are committed; a crowd of them is counted', async (t) => {
  const app = await testApp(t);
  const client = await admin(t, app);
  const seen: RecentChanges[] = [];
  let followed = false;
  client.live.follow<RecentChanges>('console/changes/leaderboard.games', {
    onMessage({ event, data }) {
      if (event === 'resync') followed = true;
      else seen.push(data);
    },
  });
  const refused: number[] = [];
  client.live.follow('console/changes/identity.accounts', {
    onMessage() {},
    onRefused: (status) => refused.push(status),
  });
  await until(() => followed && refused.length > 0);
  assert.deepEqual(refused, [404]);
  await client.send('POST /leaderboard/users/ann', { body: { level: 3, score: 12 } });
  await until(() => seen.length === 1);
  const [first] = seen[0]!.changes;
  assert.deepEqual([first!.op, first!.table, first!.columns.score], ['insert', 'leaderboard.games', '12']);
  assert.deepEqual(Object.keys(first!.key), ['game_id']);
  assert.match(first!.columns.gamedate ?? first!.columns.played_at ?? '', /^\d{4}-/);
  await app.record.query('update leaderboard.games set score = score + 1 from generate_series(1, 1)');
  await until(() => seen.length === 2);
  assert.equal(seen[1]!.changes[0]!.op, 'update');
  seen.length = 0;
  await app.record.query(
    "insert into leaderboard.games (username, level, score) select 'ann', 1, n from generate_series(1, 500) n",
  );
  const told = () => seen.reduce((sum, { changes, more }) => sum + changes.length + more, 0);
  await until(() => told() === 500);
  assert.ok(seen.every(({ changes }) => changes.length <= 20));
});

test('an admin verifies, rebuilds, and reads and retries dead letters', async (t) => {
  const app = await testApp(t);
  const client = await admin(t, app);
  const token = await client.session.token();
  const job = async (path: string) => {
    const response = await fetch(`${app.url}/console/api/${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
    });
    const lines = (await response.text()).trim().split('\n');
    return JSON.parse(lines.at(-1)!) as { result?: Record<string, unknown>[]; error?: unknown };
  };
  assert.equal((await job('verify?view=leaderboard/games')).result![0]!.drift, 0);
  assert.equal((await job('rebuild?view=leaderboard/games')).result![0]!.state, 'live');
  await until(() => app.live.projections[0]!.status().state === 'following');
  await app.record.query('alter table rides.riders add constraint not_this check (rider_id <> 987654)');
  await client.send('GET /taxi/riderbook', { query: { rider_id: '987654', rider_mobile: '+12125550107' } });
  await until(() => app.live.projections[0]!.status().deadLetters === 1);
  const [letter, ...others] = (
    await client.send<Record<string, unknown>[]>('GET /console/api/dead-letters?projection=taxi/rides')
  ).body;
  assert.deepEqual([letter!.target, others.length], ['rides.riders', 0]);
  assert.match(String(letter!.reason), /not_this/);
  await app.record.query('alter table rides.riders drop constraint not_this');
  const { body } = await client.send('POST /console/api/retry?projection=taxi/rides');
  assert.deepEqual(body, { projected: 1, failed: 0 });
  await assert.rejects(client.send('GET /console/api/dead-letters?projection=none'), { status: 404 });
});
