import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { importGames } from './import.ts';
import { sampleGames } from './sample.ts';
import { DEFAULTS } from './settings.ts';
import { TestClient } from './test-client.ts';

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const game = (changes: object = {}) => ({
  username: 'ann',
  gamedate: '2019-11-06T04:03:45',
  score: 10,
  level: 1,
  ...changes,
});

test('imports a file whole', async (t) => {
  const { record, url, views, live } = await testApp(t);
  const load = (text: string) => importGames({ record, chunks: chunksOf(text), settings: DEFAULTS });
  const count = async () => (await record.query<{ n: number }>('select count(*) as n from leaderboard.games'))[0]!.n;

  await t.test('JSON lines and a JSON array give the same games, which reach the views', async () => {
    const games = [...sampleGames({ games: 3000, seed: 5, until: Date.parse('2019-11-07T00:00:00Z') })];
    assert.equal(await load(games.map((each) => `${JSON.stringify(each)}\n`).join('')), 3000);
    assert.equal(await load(JSON.stringify(games, null, 1)), 3000);
    const [twice] = await record.query<{ n: number }>(
      'select count(*) as n from (select 1 from leaderboard.games group by username, gamedate, level, score having count(*) % 2 = 0) as pairs',
    );
    assert.equal(twice!.n, new Set(games.map((each) => JSON.stringify(each))).size);
    const report = await views[0]!.verify();
    assert.deepEqual([report.compared, report.drift], [6000, 0]);
  });

  await t.test('names in any script, quotes and backslashes, and times with an offset arrive as they are', async () => {
    const names = ['Zoë', '名前', '\\N', 'a\\tb', 'quote"\'', '𝄞'];
    await load(JSON.stringify(names.map((username) => game({ username, gamedate: '2021-01-01T00:30:00.123+01:00' }))));
    const rows = await record.query<{ username: string; gamedate: number }>(
      'select username, gamedate from leaderboard.games order by game_id desc limit $1',
      [names.length],
    );
    assert.deepEqual(rows.map(({ username }) => username).reverse(), names);
    assert.equal(rows[0]!.gamedate, Date.parse('2020-12-31T23:30:00.123Z') * 1000);
    await live.reached({ ...live.watermark, lsn: await record.flushedLsn() });
    assert.equal(((await new TestClient({ url }).get(`/users/${encodeURIComponent('名前')}`)) as object[]).length, 1);
  });

  await t.test('a bad record anywhere leaves nothing, and is named by line and reason', async () => {
    const before = await count();
    const bad: [object, RegExp][] = [
      [{ score: -1 }, /^line 2001: score must be a whole number from 0 to 2147483647, found -1$/],
      [{ level: 'x' }, /^line 2001: level must be a whole number from 1 to 100, found "x"$/],
      [{ gamedate: '2019-02-30T00:00:00' }, /^line 2001: gamedate must be a time such as/],
      [{ gamedate: 'infinity' }, /^line 2001: gamedate must be a time such as/],
      [{ gamedate: '0001-01-01T00:00:00' }, /^line 2001: gamedate must be from 1684-07-29 to 2255-06-04 in UTC, found/],
      [{ gamedate: '1684-07-29T00:30:00+01:00' }, /^line 2001: gamedate must be from 1684-07-29/],
      [{ gamedate: '2255-06-05T00:00:00' }, /^line 2001: gamedate must be from 1684-07-29/],
      [{ username: '' }, /^line 2001: username must be text of 1 to 128 printable characters, found ""$/],
      [{ username: 'a\0b' }, /^line 2001: username must be text/],
      [{ username: 'half of a pair \ud834' }, /^line 2001: username must be text/],
      [{ username: undefined }, /^line 2001: username must be text .* found nothing$/],
    ];
    const good = `${JSON.stringify(game())}\n`.repeat(2000);
    for (const [changes, message] of bad) {
      await assert.rejects(load(`${good}${JSON.stringify(game(changes))}\n{"not read`), { message });
    }
    assert.equal(await count(), before);
  });

  await t.test('the first and the last moment that boards can hold are on them', async () => {
    await load(
      JSON.stringify(['1684-07-29T00:00:00', '2255-06-04T23:59:59.999999'].map((gamedate) => game({ gamedate }))),
    );
    await live.reached({ ...live.watermark, lsn: await record.flushedLsn() });
    const report = await views[0]!.verify();
    assert.deepEqual([report.drift, views[0]!.status().state], [0, 'live']);
    assert.ok(views[0]!.readNow([]));
  });
});
