import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildWebIfNeeded } from '../scripts/build-web.ts';
import { defineService } from '../src/index.ts';
import { testBrowser, watchedPage } from '../src/testing/browser.ts';
import { assertFitsAnywhere } from '../src/testing/pages.ts';
import { testServices } from '../src/testing/services.ts';
import { services as shipped } from './index.ts';

const OWN = ['books', 'chores', 'taxi-fleet'];

test('what surrounds every page, with services of one’s own', async (t) => {
  await buildWebIfNeeded();
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-shell-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const migrations = pathToFileURL(`${folder}/`);
  const own = OWN.map((name) => defineService({ name, title: name, migrations, views: {}, routes() {} }));
  const app = await testServices(t, [...shipped, ...own]);
  const context = await testBrowser(t);
  const { page, faults } = await watchedPage(context, app.url);
  const menu = page.getByRole('navigation', { name: 'Main' });

  await t.test('fits, also with a name as long as may be', async () => {
    const username = 'averyverylongname'.repeat(8).slice(0, 128);
    await page.goto(`${app.url}/taxi-fleet/`);
    await menu.getByRole('link', { name: 'taxi-fleet' }).waitFor();
    await assertFitsAnywhere(page);
    await page.getByRole('button', { name: 'Log in' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Sign up' }).click();
    await dialog.getByLabel('User name').fill(username);
    await dialog.getByLabel('E-mail').fill('long@example.com');
    await dialog.getByLabel('Password').fill('Tr0ub4dour');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    const pages = ['', 'leaderboard/', 'heroes/', 'taxi/', 'scribble/', 'console/', 'guides/'];
    for (const place of [...pages, `cruddur/?view=profile&handle=${username.slice(0, 100)}`]) {
      await page.goto(`${app.url}/${place}`);
      await page.getByRole('button', { name: 'Log out' }).waitFor();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await assertFitsAnywhere(page);
    }
  });

  await t.test('the menu says where one is, once', async () => {
    for (const [path, name] of [
      ['taxi/', 'Taxi'],
      ['taxi-fleet/', 'taxi-fleet'],
      ['guides/operate/', 'Guides'],
    ] as const) {
      await page.goto(`${app.url}/${path}`);
      await menu.getByRole('link', { name, exact: true }).waitFor();
      assert.deepEqual(await menu.locator('[aria-current]').allTextContents(), [name]);
    }
  });

  await t.test('nothing from elsewhere; no errors on the console', () => assert.deepEqual(faults, []));
});
