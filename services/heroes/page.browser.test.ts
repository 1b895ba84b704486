import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildWebIfNeeded } from '../../scripts/build-web.ts';
import { testApp } from '../../src/testing/app.ts';
import { testBrowser, watchedPage } from '../../src/testing/browser.ts';
import { testLooks } from '../../src/testing/pages.ts';
import { HeroesClient, hero } from './test-client.ts';

test('the page of heroes', async (t) => {
  await buildWebIfNeeded();
  const app = await testApp(t);
  const client = new HeroesClient(app);
  const names = ['fireman', 'bananaman', 'iceqwen', 'mole', 'windrider', 'stonehand'];
  await client.write(Array.from({ length: 40 }, (_, i) => hero({ name: names[i % 6], xp: i * 37 })));
  const context = await testBrowser(t, { viewport: { width: 1280, height: 900 } });
  const { page, faults } = await watchedPage(context, app.url);
  const row = (id: number) =>
    page.locator('.heroes-table tbody tr').filter({ has: page.getByLabel(`Edit hero ${id}`, { exact: true }) });

  await t.test('shows the table, page by page', async () => {
    await page.goto(`${app.url}/heroes/`);
    await row(1).getByText('fireman').waitFor();
    await page.getByRole('button', { name: 'Next page' }).click();
    await row(13).waitFor();
    await page.getByRole('button', { name: 'To the start' }).click();
    await row(1).waitFor();
  });

  await t.test('plots reads with the cache and without', async () => {
    await page.locator('.plot canvas').first().waitFor();
    await page.getByText(/[1-9]\d* hits, \d+ misses/).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const { hits } = await client.cache();
    assert.ok(hits > 0);
    await page.getByRole('button', { name: 'Go on' }).click();
    while ((await client.cache()).hits <= hits + 20) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  await t.test('adds, finds and edits a hero, by keyboard', async () => {
    const form = page.getByRole('region', { name: 'Add a hero' });
    await form.getByLabel('Name').focus();
    for (const text of ['newcomer', 'yes', 'flight', 'green', '5']) {
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText(/Hero 41 is durable, and in the cache, after \d+ ms/).waitFor();
    await page.getByLabel("Hero's id").fill('41');
    await page.keyboard.press('Enter');
    await row(41).getByText('newcomer').waitFor();
    const edit = page.getByRole('region', { name: 'Edit hero 41' });
    await edit.getByLabel('XP').fill('99');
    await page.keyboard.press('Enter');
    await row(41).getByText('99').waitFor();
    assert.equal((await client.read([41])).body.body[0].xp, 99);
    await page.getByLabel("Hero's id").fill('4711');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('no hero with id 4711').waitFor();
  });

  await t.test('without the cache, a write says so', async () => {
    await page.getByRole('radio', { name: 'Without' }).check();
    await page.getByRole('region', { name: 'Edit hero 41' }).getByRole('button', { name: 'Save' }).click();
    await page.getByText(/Hero 41 is durable, after \d+ ms/).waitFor();
  });

  await t.test('imports a file that is chosen, and says which line is bad', async () => {
    const choose = (text: string) =>
      page
        .locator('input[type=file]')
        .setInputFiles({ name: 'heroes.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await choose('id,hero,power,name,xp,color\n100,yes,fire,imported,1,red\n101,yes,fire,imported,1,red\n');
    await page.getByText(/2 heroes in [\d.]+ s/).waitFor();
    await choose('102,yes,fire,imported,ten,red\n');
    await page.getByRole('alert').getByText('line 1: xp must be a whole number, found "ten"').waitFor();
    assert.equal((await client.read([100, 101])).status, 200);
  });

  await testLooks(t, page, 'heroes', async () => {
    await page.goto(`${app.url}/heroes/`);
    await page.getByText(/[1-9]\d* hits, \d+ misses/).waitFor();
  });

  await t.test('nothing from elsewhere; no errors on the console', () => {
    // The browser itself reports the requests that were refused on purpose.
    assert.deepEqual(
      faults.filter((fault) => !/status of 40[04]/.test(fault)),
      [],
    );
  });
});
