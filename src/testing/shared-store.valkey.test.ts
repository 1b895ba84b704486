import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import leaderboard from '../../services/leaderboard/service.ts';
import { TestClient } from '../../services/leaderboard/test-client.ts';
import { databaseOf } from '../changes/epoch.ts';
import { readLog } from '../changes/record-epoch.ts';
import { testDatabase } from './database.ts';
import { postgresPair } from './postgres-pair.ts';
import { type TestApp, testServices } from './services.ts';
import { startValkey, type TestValkey } from './valkey.ts';

// Whose keys are whose, where several databases share a server, and where a database moves to another one.

let store: TestValkey;
before(async () => {
  store = await startValkey();
});
after(() => store.stop());

const appOn = (t: TestContext, databaseUrl: string): Promise<TestApp> =>
  testServices(t, [leaderboard as never], { databaseUrl, valkeyUrl: store.url, leaderTimeoutMs: 1500 });

/** The prefixes of all keys that are there. */
async function prefixes(): Promise<string[]> {
  const keys = (await store.command('KEYS', '*')) as string[];
  return [...new Set(keys.map((key) => /^lockstep:[^:]*:/.exec(key)?.[0] ?? key))].sort();
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(20)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}

/** A player of a node, whose scores are read with the position of the last write. */
async function player(app: TestApp, name = 'ann') {
  const client = new TestClient(app);
  const token = await client.account(name);
  let written: Headers;
  return {
    plays: async (score: number) => {
      const answer = await client.call('POST', `/users/${name}`, { token, body: { level: 1, score } });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      written = answer.headers;
    },
    best: async (at: TestApp = app) => {
      const headers = { 'lockstep-min-position': written.get('lockstep-position')! };
      const read = await new TestClient(at).call('GET', `/users/${name}`, { headers });
      const [best] = read.body as { score: number }[];
      return { score: best?.score, source: read.headers.get('lockstep-source') };
    },
  };
}

const drifts = (app: TestApp) => Promise.all(app.views.map(async (view) => (await view.verify()).drift));

test('[SPEC 5] [SPEC 6] [rule 1] two databases of one server share a store: neither sees, rebuilds or deletes what is the other one’s', async (t) => {
  const [one, two] = await Promise.all([testDatabase(t), testDatabase(t)]);
  // Copies of one template: all that is in them is the same.
  const [a, b] = [await appOn(t, one.url), await appOn(t, two.url)];
  const [ann, bob] = [await player(a), await player(b)];
  for (let score = 1; score <= 20; score++) await Promise.all([ann.plays(score), bob.plays(1000 + score)]);
  assert.deepEqual(await ann.best(), { score: 20, source: 'view' });
  assert.deepEqual(await bob.best(), { score: 1020, source: 'view' });
  for (const app of [a, b]) {
    const { nodes, reconnects } = app.live.status();
    assert.deepEqual([nodes?.length, reconnects], [1, 0], 'each is a world of its own');
    for (const view of app.views) await view.rebuild();
  }
  assert.deepEqual([await drifts(a), await drifts(b)], [[0], [0]]);
  assert.equal((await prefixes()).length, 2);
  await a.stop();
  await sleep(50);
  assert.deepEqual(await bob.best(), { score: 1020, source: 'view' });
});

test('[SPEC 5] [rule 1] a standby is promoted: the node goes on with the bus and the keys that it had', async (t) => {
  await store.command('FLUSHALL');
  const pair = await postgresPair(t);
  const app = await appOn(t, pair.url);
  await pair.synchronise();
  const ann = await player(app);
  await ann.plays(1);
  const before = { prefixes: await prefixes(), epoch: app.live.status().epoch };
  assert.equal(before.prefixes.length, 1);
  await pair.primary.kill();
  await pair.standby.ask('select pg_promote()', 'postgres');
  const follows = () => app.live.status().ready && app.live.status().epoch !== before.epoch;
  await until('it follows again', async () => follows());
  await until('a write', () =>
    ann.plays(2).then(
      () => true,
      () => false,
    ),
  );
  await until('the view answers', async () => (await ann.best()).source === 'view');
  assert.equal((await ann.best()).score, 2);
  assert.deepEqual(await prefixes(), before.prefixes);
  const url = pair.standby.url();
  const promoted = await readLog({ url, replicationUrl: url });
  assert.deepEqual(before.prefixes, [`lockstep:${databaseOf(promoted)}:`], 'a node that starts now has them too');
});

test('[SPEC 3] [rule 5] a record that is older than its terms leads at once: the store knows how far they had come', async (t) => {
  await store.command('FLUSHALL');
  const { url, record } = await testDatabase(t);
  const first = await appOn(t, url);
  await (await player(first)).plays(7);
  await first.stop();
  for (const key of (await store.command('KEYS', 'lockstep:*}')) as string[])
    await store.command('HSET', key, 'leader', '500');
  const began = performance.now();
  const second = await appOn(t, url);
  assert.ok(performance.now() - began < 10_000);
  const [row] = await record.query<{ epoch: number }>('select epoch from lockstep.leader');
  assert.equal(Number(row!.epoch), 501);
  const ann = await player(second);
  await ann.plays(8);
  assert.deepEqual(await ann.best(), { score: 8, source: 'view' });
});
