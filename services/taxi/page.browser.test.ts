import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildWebIfNeeded } from '../../scripts/build-web.ts';
import { testApp } from '../../src/testing/app.ts';
import { testBrowser, watchedPage } from '../../src/testing/browser.ts';
import { testLooks } from '../../src/testing/pages.ts';
import { bill } from './billing.ts';
import { simulate } from './simulate.ts';

test('the taxi page', async (t) => {
  await buildWebIfNeeded();
  const app = await testApp(t);
  const target = await app.services
    .find(({ definition }) => definition.name === 'taxi')!
    .context.projections.rides!.target();
  const context = await testBrowser(t, { viewport: { width: 1280, height: 900 } });
  const { page, faults } = await watchedPage(context, app.url);
  const legend = (name: string) => page.locator('.trip-legend li', { hasText: name });

  await t.test(
    'a trip is booked, accepted and completed by keyboard, and is on the map and in the billing',
    async () => {
      await page.goto(`${app.url}/taxi/`);
      await page.locator('.connection[data-state="live"]').waitFor();
      await page.getByLabel('Rider number').focus();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('Booked: waiting for a driver').waitFor();
      await legend('Booked').getByText('1', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Accept the trip' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Complete the trip' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('.trip-status', { hasText: 'Completed' }).waitFor();
      await legend('Completed').getByText('1', { exact: true }).waitFor();
      await page.locator('.sums', { hasText: '1 trip' }).waitFor();
    },
  );

  await t.test('what the server refuses is told beside the form', async () => {
    await page.getByLabel('Mobile').fill('12');
    await page.keyboard.press('Enter');
    await page.getByText('5 to 15 digits').first().waitFor();
    await page.getByLabel('Mobile').fill('+11492133668');
  });

  await t.test('trips move live; the bills are a table', async () => {
    const running = simulate({ record: app.record, trips: 60, rate: 60, tripMs: 1200 });
    await page.waitForFunction(() => Number(document.querySelector('.trip-legend li:nth-child(2) b')?.textContent) > 0);
    const painted = await page.evaluate(() => {
      const canvas = document.querySelector('canvas')!;
      return canvas
        .getContext('2d')!
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some((byte) => byte > 0);
    });
    assert.ok(painted);
    const { completed } = await running;
    await legend('Completed')
      .getByText(String(completed + 1), { exact: true })
      .waitFor();
    while ((await target.query('select from rides.trips')).length <= completed) await new Promise(setImmediate);
    await bill(target);
    await page.locator('.billing tbody tr').first().waitFor();
  });

  await testLooks(t, page, 'taxi', async () => {
    await page.goto(`${app.url}/taxi/`);
    await page.locator('.billing tbody tr').first().waitFor();
  });

  await t.test('nothing comes from elsewhere; no errors on the console', () => assert.deepEqual(faults, []));
});
