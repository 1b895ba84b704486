import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildWebIfNeeded } from '../../../scripts/build-web.ts';
import { Client } from '../../client/index.ts';
import { testApp } from '../../testing/app.ts';
import { testBrowser, watchedPage } from '../../testing/browser.ts';
import { loadedBytes, testLooks, watchShifts } from '../../testing/pages.ts';

const account = { username: 'ann', password: 'Correct-horse-1', email: 'ann@example.org' };

test('the console', async (t) => {
  await buildWebIfNeeded();
  const app = await testApp(t);
  const writer = new Client({ url: app.url });
  await writer.session.signUp(account);
  await writer.session.logIn(account);
  const play = (score: number) => writer.send('POST /leaderboard/users/ann', { body: { level: 1, score } });
  const context = await testBrowser(t, { viewport: { width: 1280, height: 900 } });
  const { page, faults } = await watchedPage(context, app.url);
  const shifted = await watchShifts(page);
  const views = page.getByRole('region', { name: 'Views' });
  const path = page.getByRole('region', { name: 'The path of the data, live' });

  await t.test('asks for an admin, and says how to become one', async () => {
    await page.goto(`${app.url}/console/`);
    await page.getByLabel('User name').fill('ann');
    await page.getByLabel('Password').fill(account.password);
    await page.keyboard.press('Enter');
    await page.getByText('ann is no admin yet').waitFor();
    await page.getByText('npx lockstep users grant ann admin', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Done, show the console' }).click();
    await page.getByRole('alert').getByText('You do not have the role yet.').waitFor();
    await app.identity.grant('ann', 'admin');
    await page.getByRole('button', { name: 'Done, show the console' }).click();
    await page.getByText('Every view in lockstep').waitFor();
  });

  await t.test('loads little', async () => {
    const bytes = await loadedBytes(page, () => page.locator('.plot canvas').first().waitFor());
    assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
  });

  await t.test(
    'draws the path as it is: the last commit stands at the end of the log, in the feed and in the views',
    async () => {
      await play(10);
      for (const place of ['Log ends at', 'Applied to']) await path.getByText(place).waitFor();
      const at = () => path.locator('dd code').allTextContents();
      const row = () => views.locator('tbody tr').first().locator('code').textContent();
      await page.waitForFunction(() => {
        const found = [...document.querySelectorAll('.flow dd code')].map((element) => element.textContent);
        return found.length === 2 && found[0] === found[1];
      });
      assert.match((await at())[0]!, /^[0-9a-z]+$/);
      assert.match((await row())!, /^[0-9a-z]+$/);
      const running = setInterval(() => void play(11).catch(() => {}), 50);
      try {
        await path.locator('.pipe:not([data-dots="0"])').nth(2).waitFor({ state: 'attached' });
      } finally {
        clearInterval(running);
      }
    },
  );

  await t.test('verifies and rebuilds a view, and tells how it went', async () => {
    await views.getByRole('button', { name: 'Verify leaderboard/games' }).click();
    await views.getByText(/compared with the record in .* no drift/).waitFor();
    await views.getByRole('button', { name: 'Rebuild leaderboard/games' }).click();
    await views.getByText('Built anew from the record while it served.').waitFor();
    await views
      .locator('tr', { hasText: 'leaderboard/games' })
      .locator('td')
      .nth(5)
      .getByText('1', { exact: true })
      .waitFor();
  });

  await t.test('shows the changes of a table as they are committed', async () => {
    const changes = page.getByRole('region', { name: 'Changes' });
    await changes.getByLabel('Table').selectOption('heroes.heroes');
    await changes.getByText('What is committed from now on shows here.').waitFor();
    // Followed once the server has said so: written until one shows.
    const write = () =>
      writer.send('POST /heroes/', { body: { hero: 'yes', power: 'x', name: 'watched', xp: 1, color: 'red' } });
    const running = setInterval(() => void write().catch(() => {}), 100);
    try {
      await changes.locator('li', { hasText: 'watched' }).first().waitFor();
    } finally {
      clearInterval(running);
    }
    await changes.getByText('insert').first().waitFor();
    assert.equal(await changes.locator('li', { hasText: 'leaderboard' }).count(), 0);
  });

  await t.test('shows dead letters, and tries them again', async () => {
    await app.record.query('alter table rides.riders add constraint not_this check (rider_id <> 987654)');
    await writer.send('GET /taxi/riderbook', { query: { rider_id: '987654', rider_mobile: '+12125550107' } });
    const letters = page.getByRole('article', { name: 'taxi/rides' });
    await letters.getByText('not_this').waitFor();
    await app.record.query('alter table rides.riders drop constraint not_this');
    await letters.getByRole('button', { name: 'Try again' }).click();
    await letters.getByText('1 written, 0 failed again.').waitFor();
  });

  await t.test('shows slots, the node and the slowest routes', async () => {
    await page.getByRole('region', { name: 'Slots' }).getByText(app.live.status().slot!.name).waitFor();
    await page.getByRole('region', { name: 'Node' }).getByText('follows the record, answers this page').waitFor();
    await page.getByRole('region', { name: 'Slowest routes' }).getByText('/identity/login').waitFor();
  });

  await testLooks(t, page, 'console', async () => {
    await page.reload();
    await page.getByRole('region', { name: 'Slowest routes' }).locator('tbody tr').nth(2).waitFor();
    await page.getByRole('region', { name: 'Slots' }).locator('li').first().waitFor();
    const shift = await shifted();
    assert.ok(shift < 0.1, `layout shift ${shift}`);
  });

  await t.test('whoever is no admin any more sees nothing more', async () => {
    await app.identity.revoke('ann', 'admin');
    await page.reload();
    await page.getByText('ann is no admin yet').waitFor();
  });

  await t.test('nothing from elsewhere; no errors on the console', () => {
    assert.deepEqual(
      faults.filter((fault) => !/status of 40[13]/.test(fault)),
      [],
    );
  });
});
