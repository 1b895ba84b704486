import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import leaderboard from '../../services/leaderboard/service.ts';
import { top } from '../views/leaderboard/queries.ts';
import { testDatabase } from './database.ts';
import { type TestApp, testServices } from './services.ts';
import { forThisFile, startValkey } from './valkey.ts';

const store = await forThisFile(startValkey());
const BEST = [top({ board: 'games', window: 'overall', limit: 9 })] as const;
const REASON = /row 17 of leaderboard.games: .* 0001-01-01T.*; expected a timestamp/;

test('[SPEC 3] [SPEC 5] [SPEC 7] a row that boards in a store cannot hold is named, streamed or loaded; without it they answer', async (t) => {
  const { url: databaseUrl } = await testDatabase(t);
  const settings = { databaseUrl, valkeyUrl: store.url, leaderTimeoutMs: 1500 };
  const streamed = await testServices(t, [leaderboard as never], settings);
  await streamed.record.query(`insert into leaderboard.games (game_id, username, gamedate, level, score)
    values (17, 'early', '0001-01-01Z', 1, 1), (18, 'ann', now(), 1, 5)`);
  await assertNamed(streamed);
  await store.command('FLUSHALL');
  const loaded = await streamed.restart();
  await assertNamed(loaded);
  await loaded.record.query('delete from leaderboard.games where game_id = 17');
  await becomes(loaded, 'live');
  const { results, source } = await loaded.views[0]!.read(BEST);
  assert.deepEqual([results[0].map(({ row }) => row.username), source], [['ann'], 'view']);
});

async function becomes({ views: [view] }: TestApp, state: 'live' | 'broken'): Promise<void> {
  for (const deadline = Date.now() + 60_000; view!.status().state !== state; await sleep(20)) {
    if (Date.now() > deadline) assert.fail(`never ${state}: ${JSON.stringify(view!.status())}`);
  }
}

async function assertNamed(app: TestApp): Promise<void> {
  await becomes(app, 'broken');
  const view = app.views[0]!;
  assert.match(view.status().fault!, REASON);
  assert.match(await (await fetch(`${app.url}/readyz`)).text(), REASON);
  const { results, source } = await view.read(BEST);
  assert.deepEqual([results[0].length, source], [2, 'record']);
  const { drift, compared, fault } = await view.verify();
  assert.deepEqual([drift, compared], [0, 1]);
  assert.match(fault!, REASON);
  await view.rebuild();
  await becomes(app, 'broken');
}
