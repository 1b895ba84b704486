import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '../../services/index.ts';
import { boards, heroes, type Load } from './chaos/loads.ts';
import { Town } from './chaos/town.ts';
import { postgresPair } from './postgres-pair.ts';
import { type TestApp, testServices } from './services.ts';
import { startValkey } from './valkey.ts';

// The record fails over while two nodes have their views in a store: a board, which is built, and a cache, which is filled.

const SEED = 20261121;

/** A primary and its standby, a store, and two nodes on them. */
async function world(t: TestContext, slots: boolean) {
  const pair = await postgresPair(t, { slots });
  const store = await startValkey();
  const chosen = services.filter(({ name }) => ['leaderboard', 'heroes'].includes(name));
  const settings = { databaseUrl: pair.url, valkeyUrl: store.url };
  const apps = [await testServices(t, chosen, settings), await testServices(t, chosen, settings)] as const;
  t.after(() => store.stop());
  const [{ record }] = apps;
  return {
    ...{ pair, apps, record },
    town: (seed: number) =>
      new Town(
        apps.map(({ url }) => url),
        SEED + seed,
      ),
    ready: () => until('all nodes are ready', () => apps.every(({ live }) => live.status().ready)),
    epoch: () => apps[0].live.status().epoch,
    /** By view, the generation that the store serves. */
    generations: async () => {
      const views = apps[0].views.map(({ name }) => name);
      const read = async (name: string) => {
        const [pointer] = (await store.command('KEYS', `lockstep:*:{${name}:0}`)) as [string];
        return store.command('HGET', pointer, 'generation');
      };
      return new Map(await Promise.all(views.map(async (name) => [name, await read(name)] as const)));
    },
  };
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}

/** Loads that run until `end`. */
function under(t: TestContext, town: Town, loads: readonly Load[]) {
  const running = Promise.all(loads.map((load) => load.run()));
  running.catch(() => {}); // `end` tells
  t.after(() => town.end());
  const count = () => loads.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  return {
    /** Waits for so many more acknowledged writes. */
    more: (writes: number) => {
      const wanted = count() + writes;
      return until(`${writes} more writes`, () => count() >= wanted);
    },
    end: async () => {
      town.end();
      await running;
    },
  };
}

/** What the leader finds, of every view. */
async function noDrift(apps: readonly TestApp[]): Promise<void> {
  const leader = apps.find(({ live }) => live.status().slot !== null)!;
  for (const view of leader.views) assert.equal((await view.verify()).drift, 0, view.name);
}

test(`[SPEC 1] [SPEC 3] [SPEC 5] [rule 1] [rule 14] the primary is killed under load: the views in the store go on from the slot, and nobody reads what is stale (seed ${SEED})`, async (t) => {
  const { pair, apps, record, town, ready, epoch, generations } = await world(t, true);
  await pair.synchronise();
  const people = town(0);
  const loads = [boards(people, 'ann'), boards(people, 'bob'), heroes(people, 'flash'), heroes(people, 'hulk')];
  const load = under(t, people, loads);
  await load.more(60);
  await pair.slotsSynchronised(1);
  await load.more(20);
  const before = { epoch: epoch(), generations: await generations(), position: apps[0].live.status().position! };
  await pair.primary.kill();
  await pair.standby.ask('select pg_promote()', 'postgres');
  await load.more(60);
  await load.end();
  await ready();
  assert.notEqual(epoch(), before.epoch);
  const after = await generations();
  assert.equal(after.get('leaderboard/games'), before.generations.get('leaderboard/games'), 'it went on where it was');
  assert.notEqual(after.get('heroes/heroes'), before.generations.get('heroes/heroes'), 'it began empty');
  for (const each of loads) await each.check(record);
  assert.deepEqual(people.faults, []);
  assert.ok(people.sources.view > 0);
  await noDrift(apps);
  const headers = { 'lockstep-min-position': before.position };
  for (const url of people.urls) {
    assert.equal((await people.call('GET', '/leaderboard/users/ann', { headers }, url))?.status, 409);
  }
});

for (const slots of [true, false]) {
  test(`[SPEC 5] [SPEC 6] [rule 1] a standby that was behind is promoted, ${slots ? 'with the slot' : 'and the slot is lost'}: the views in the store are built anew, and what was taken back is shown nowhere`, async (t) => {
    const { pair, apps, record, town, ready, epoch, generations } = await world(t, slots);
    const people = town(1);
    const loads = [boards(people, 'ann'), heroes(people, 'flash')];
    const load = under(t, people, loads);
    await load.more(30);
    await load.end();
    if (slots) await pair.slotsSynchronised(1);
    const [{ lsn }] = (await pair.primary.ask('select pg_current_wal_flush_lsn()::text as lsn')) as [{ lsn: string }];
    await pair.standby.until(`pg_last_wal_replay_lsn() >= '${lsn}'`, 'postgres');
    await pair.standby.stop();

    const lost = town(2);
    const ghosts = under(t, lost, [boards(lost, 'gil')]);
    await ghosts.more(20);
    await ghosts.end();
    const [{ id }] = (await record.query('select id from heroes.heroes')) as unknown as [{ id: number }];
    assert.equal((await lost.call('PATCH', `/heroes/${id}`, { body: { xp: 99_999 } }))?.status, 200);
    assert.equal((await lost.call('GET', `/heroes/${id}`))?.body.xp, 99_999);
    const before = { epoch: epoch(), generations: await generations() };
    await pair.primary.kill();
    await pair.standby.start();
    await pair.standby.ask('select pg_promote()', 'postgres');

    await until('another epoch', () => epoch() !== before.epoch);
    const again = town(3);
    const more = boards(again, 'cy');
    const after = under(t, again, [more]);
    await after.more(10);
    await after.end();
    await ready();
    for (const url of again.urls) {
      const games = await again.call('GET', '/leaderboard/users/gil', {}, url);
      assert.ok(games?.status === 404 || games?.body.length === 0, JSON.stringify(games?.body));
      assert.notEqual((await again.call('GET', `/heroes/${id}`, {}, url))?.body.xp, 99_999);
    }
    const now = await generations();
    for (const [view, generation] of before.generations) assert.notEqual(now.get(view), generation, view);
    for (const each of [...loads, more]) await each.check(record);
    assert.deepEqual([...people.faults, ...again.faults], []);
    await noDrift(apps);
  });
}
