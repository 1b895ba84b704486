import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { buildWebIfNeeded } from '../scripts/build-web.ts';
import { defineService, Type } from '../src/index.ts';
import { testBrowser, watchedPage } from '../src/testing/browser.ts';
import { loadedBytes, testLooks, watchShifts } from '../src/testing/pages.ts';
import { testServices } from '../src/testing/services.ts';
import { services } from './index.ts';

const run = promisify(execFile);

test('the page that one comes to first', async (t) => {
  await buildWebIfNeeded();
  const app = await testServices(t, services);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-home-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const context = await testBrowser(t, { viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: app.url });
  const { page, faults } = await watchedPage(context, app.url);
  const shifted = await watchShifts(page);
  const tile = (name: string) => page.locator(`article[data-service=${name}]`);
  /** Runs what is there to be pasted, as it is. */
  const paste = async (name: string) => {
    const command = await tile(name).locator('pre').innerText();
    return (await run('bash', ['-c', command], { cwd: folder })).stdout;
  };

  await t.test('has a tile for each service, with what to do where there is nothing yet', async () => {
    await page.goto(app.url);
    await tile('leaderboard').getByText('No games yet').waitFor();
    await tile('heroes').getByText('No heroes yet').waitFor();
    await tile('cruddur').getByText('Nothing here yet').waitFor();
    await tile('taxi').getByText('0 booked').waitFor();
    await tile('scribble').getByText('You are here alone').waitFor();
  });

  await t.test('the commands work as they are, and the tiles show what they did', async () => {
    assert.deepEqual(JSON.parse(await paste('leaderboard')), { overall: [], monthly: [], daily: [] });
    assert.equal(JSON.parse(await paste('heroes')).name, 'pasted');
    await tile('heroes').locator('dd').nth(1).getByText(/[1-9]/).waitFor();
    assert.match(await paste('taxi'), /"STATUS":"Booked"/);
    await tile('taxi').getByText('1 booked').waitFor();
    assert.deepEqual(JSON.parse(await paste('cruddur')), []);
    await paste('scribble');
    const png = await readFile(join(folder, 'canvas.png'));
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
  });

  await t.test('what is written by hand shows without anybody asking', async () => {
    await app.record.query(`insert into leaderboard.games (username, level, score) values ('handmade', 1, 4242)`);
    await tile('leaderboard').locator('li', { hasText: 'handmade' }).getByText('4,242').waitFor();
  });

  await t.test('a command is copied at the press of a button', async () => {
    await tile('heroes').getByRole('button', { name: 'Copy the command for Heroes' }).click();
    await tile('heroes').getByText('Copied').first().waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await tile('heroes').locator('pre').innerText());
  });

  await t.test('loads little', async () => {
    const bytes = await loadedBytes(page, async () => {
      for (const name of ['leaderboard', 'heroes', 'taxi', 'scribble', 'cruddur'])
        await tile(name).locator('pre').waitFor();
    });
    assert.ok(bytes > 50_000 && bytes < 150_000, `${bytes} bytes`);
  });

  await testLooks(t, page, 'home', async () => {
    await page.reload();
    await tile('taxi').getByText('completed today').waitFor();
    await tile('heroes').locator('dd').nth(1).getByText(/[1-9]/).waitFor();
    const shift = await shifted();
    assert.ok(shift < 0.05, `layout shift ${shift}`);
  });

  await t.test('nothing from elsewhere; no errors on the console', () => {
    assert.deepEqual(faults, []);
  });
});

test('where a service runs alone, the page shows no others', async (t) => {
  await buildWebIfNeeded();
  const [heroes] = services.filter(({ name }) => name === 'heroes');
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-home-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const mine = defineService({
    name: 'mine',
    title: 'One of my own',
    migrations: pathToFileURL(`${folder}/`),
    views: {},
    topics: () => ({
      told: {
        type: 'signals',
        watch(key, send) {
          const timer = setInterval(() => send({ told: key }), 20);
          return () => clearInterval(timer);
        },
        authorize: (key) => key !== 'private',
      },
    }),
    routes(routes) {
      routes.get('/numbers', { schema: { summary: 'Every number' } }, async () => [1, 2, 3]);
      const body = Type.Object({ whose: Type.String({ minLength: 2 }), number: Type.Integer({ minimum: 7 }) });
      routes.post('/numbers', { schema: { body } }, async (request) => ({ taken: request.body }));
    },
  });
  const app = await testServices(t, [heroes!, mine]);
  const context = await testBrowser(t);
  const { page, faults } = await watchedPage(context, app.url);
  await page.goto(app.url);
  await page.locator('article[data-service=heroes] pre').waitFor();
  await page.getByText('One of my own').waitFor();
  assert.equal(await page.locator('article[data-service]').count(), 1);
  // A service without a page has one that tells of its routes.
  await page.getByRole('main').getByRole('link', { name: 'mine' }).click();
  await page.getByRole('heading', { name: 'mine' }).waitFor();
  await page.getByText('Every number').waitFor();
  // Each route's command works as it is.
  const command = async (row: string) => {
    const text = await page.locator('.own-routes li', { hasText: row }).locator('pre').innerText();
    return JSON.parse((await run('bash', ['-c', text])).stdout) as unknown;
  };
  assert.deepEqual(await command('GET'), [1, 2, 3]);
  assert.deepEqual(await command('POST'), { taken: { whose: 'text', number: 7 } });
  // What it tells shows as it comes, by any key; who may not follow is told so.
  const live = page.getByRole('region', { name: 'Live' });
  for (const [key, shown] of [
    ['b', '"told": "b"'],
    ['private', 'Following this topic needs a token.'],
  ] as const) {
    await live.getByLabel('Key of mine/told').fill(key);
    await page.keyboard.press('Enter');
    await live.getByText(shown).waitFor();
  }
  await testLooks(t, page, 'own', async () => {
    await page.reload();
    await live.getByLabel('Key of mine/told').fill('all');
    await page.keyboard.press('Enter');
    await live.getByText('"told": "all"').waitFor();
  });
  // Nothing that does not run is linked to.
  await page.goto(`${app.url}/nothing/here`);
  await page.getByRole('heading', { name: 'There is no page here' }).waitFor();
  assert.equal(await page.locator('a[href^="/leaderboard"]').count(), 0);
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('404')),
    [],
  );
});
