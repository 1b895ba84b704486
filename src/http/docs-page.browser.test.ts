import assert from 'node:assert/strict';
import { test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { testApp } from '../testing/app.ts';
import { testBrowser, watchedPage } from '../testing/browser.ts';
import { assertFitsAnywhere } from '../testing/pages.ts';

/** How Swagger UI itself is made: a lock within a button, headings that begin with the third, a title outside of `main`. */
const NOT_OURS = ['nested-interactive', 'heading-order', 'region'];

test('the page of the API is one of the pages', async (t) => {
  const app = await testApp(t);
  const context = await testBrowser(t);
  const { page, faults } = await watchedPage(context, app.url);
  const operation = page.locator('.opblock-post', { hasText: '/taxi/billing' });

  await t.test('lists the routes, with a lock on those that need a token', async () => {
    await page.goto(`${app.url}/docs`);
    await operation.getByRole('button', { name: /authorization/i }).waitFor();
    assert.equal(
      await page
        .locator('.opblock-summary-description')
        .filter({ hasText: /^[a-z]|^$/ })
        .count(),
      0,
    );
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`is accessible, also where one is opened, in ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${app.url}/docs`);
      await operation.locator('.opblock-summary-control').click();
      await operation.locator('.responses-wrapper').waitFor();
      const { violations } = await new AxeBuilder({ page }).disableRules(NOT_OURS).analyze();
      assert.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes[0]?.html]),
        [],
      );
    });
  }

  await t.test('fits, and leads back', async () => {
    await assertFitsAnywhere(page);
    await page.getByRole('link', { name: 'Lockstep' }).click();
    await page.waitForURL(`${app.url}/`);
  });

  await t.test('nothing from elsewhere; no errors on the console', () => assert.deepEqual(faults, []));
});
