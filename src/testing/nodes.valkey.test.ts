import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestClient } from '../../services/leaderboard/test-client.ts';
import { testDatabase } from './database.ts';
import { freePort, ServerProcess } from './server-process.ts';
import { startValkey } from './valkey.ts';

// Nodes as processes of their own, on one PostgreSQL and one store.

const TIMEOUT_MS = 1500;

async function nodes(t: TestContext, count: number) {
  const { url: databaseUrl, record } = await testDatabase(t);
  const store = await startValkey();
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-nodes-'));
  const all = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const env = {
        DATABASE_URL: databaseUrl,
        VALKEY_URL: store.url,
        LOG_LEVEL: 'warn',
        LOCKSTEP_PUBLIC_URL: 'http://localhost',
        LOCKSTEP_ONLY: 'leaderboard',
        LOCKSTEP_LEADER_TIMEOUT: String(TIMEOUT_MS),
      };
      return new ServerProcess({ dataDir: join(directory, String(i)), port: await freePort(), env });
    }),
  );
  t.after(async () => {
    for (const node of all) node.signal('SIGCONT');
    await Promise.all(all.map((node) => node.stop()));
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  });
  for (const node of all) node.start();
  await Promise.all(all.map((node) => node.ready()));
  const token = await new TestClient(all[0]!).account('alice');
  let score = 0;
  const leaderRow = async () =>
    (await record.query<{ node: string; epoch: number }>('select node, epoch from lockstep.leader'))[0]!;
  return {
    ...{ all, store, record, leaderRow },
    leader: async () => {
      const { node } = await leaderRow();
      return all.find(({ pid }) => node.includes(`-${pid}-`))!;
    },
    /** Writes on one node, and reads on another what was written. */
    play: async (writer: ServerProcess, reader: ServerProcess) => {
      const body = { level: 1, score: ++score };
      const written = await new TestClient(writer).call('POST', '/users/alice', { token, body });
      assert.equal(written.status, 200, JSON.stringify(written.body));
      const headers = { 'lockstep-min-position': written.headers.get('lockstep-position')! };
      const read = await new TestClient(reader).call('GET', '/users/alice', { headers });
      assert.equal((read.body as { score: number }[])[0]!.score, score);
      return read.headers.get('lockstep-source');
    },
    /** Every game is there once, on every node. */
    check: async () => {
      const rows = await record.query<{ score: number }>('select score from leaderboard.games order by score');
      assert.deepEqual(
        rows.map((row) => row.score),
        Array.from({ length: score }, (_, i) => i + 1),
      );
      for (const node of all) {
        const games = (await new TestClient(node).call('GET', '/users/alice?limit=1000')).body as { score: number }[];
        assert.equal(games[0]!.score, score);
      }
    },
  };
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition()); await sleep(2)) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
  }
}

test('[SPEC 3] [rule 16] when the leader is killed another node leads at once; nothing is lost', async (t) => {
  const { all, leader, leaderRow, play, check } = await nodes(t, 3);
  const took: number[] = [];
  for (let round = 0; round < 3; round++) {
    const killed = await leader();
    const { epoch } = await leaderRow();
    const rest = all.filter((node) => node !== killed);
    await play(killed, rest[0]!);
    const began = performance.now();
    await killed.stop('SIGKILL');
    await until('another one leads', async () => (await leaderRow()).epoch > epoch);
    took.push(Math.round(performance.now() - began));
    await play(rest[0]!, rest[1]!);
    killed.start();
    await killed.ready();
  }
  t.diagnostic(`another node led after ${took.join(', ')} ms`);
  assert.ok(Math.min(...took) < 250, `${took} ms`);
  await check();
});

test('[SPEC 3] [rule 5] [rule 16] a leader that was frozen for longer than its time, and comes back, does no harm', async (t) => {
  const { all, leader, leaderRow, play, check } = await nodes(t, 3);
  const frozen = await leader();
  const rest = all.filter((node) => node !== frozen);
  const { epoch } = await leaderRow();
  for (let i = 0; i < 5; i++) await play(frozen, rest[i % 2]!);
  // Frozen with writes under way, as it would be.
  const underWay = Array.from({ length: 5 }, () => fetch(`${frozen.url}/leaderboard/users/alice`).catch(() => null));
  frozen.signal('SIGSTOP');
  await until('it is deposed', async () => (await leaderRow()).epoch > epoch);
  for (let i = 0; i < 20; i++) await play(rest[i % 2]!, rest[(i + 1) % 2]!);
  frozen.signal('SIGCONT');
  await Promise.all(underWay);
  for (let i = 0; i < 10; i++) await play(rest[i % 2]!, frozen);
  await frozen.ready();
  for (let i = 0; i < 10; i++) await play(frozen, rest[i % 2]!);
  assert.notEqual(await leader(), frozen);
  await check();
});

test('[SPEC 5] [SPEC 6] [rule 5] a store that is emptied, killed, or cut off under load is never read from while it lacks anything', async (t) => {
  const { all, store, play, check } = await nodes(t, 2);
  const [one, two] = all as [ServerProcess, ServerProcess];
  let over = false;
  const load = (async () => {
    while (!over) {
      await play(one, two);
      await play(two, one);
    }
  })();
  const faults = [
    async () => void (await store.command('FLUSHALL')),
    async () => {
      await store.kill();
      await store.start();
    },
    async () => {
      for (const type of ['normal', 'pubsub']) await store.command('CLIENT', 'KILL', 'TYPE', type);
    },
  ];
  for (const fault of [...faults, ...faults]) {
    await fault();
    await sleep(700);
  }
  over = true;
  await load;
  await until(
    'the views answer again',
    async () => (await play(one, two)) === 'view' && (await play(two, one)) === 'view',
  );
  await check();
});
