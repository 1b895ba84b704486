import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildWebIfNeeded } from '../../../scripts/build-web.ts';
import { GUIDES } from '../../../scripts/guides/guides.ts';
import { testBrowser, watchedPage } from '../../../src/testing/browser.ts';
import { loadedBytes, testLooks, watchShifts } from '../../../src/testing/pages.ts';
import { testServices } from '../../../src/testing/services.ts';

test('the guides', async (t) => {
  await buildWebIfNeeded();
  const app = await testServices(t, []);
  const context = await testBrowser(t, { viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: app.url });
  const { page, faults } = await watchedPage(context, app.url);
  const shifted = await watchShifts(page);
  const menu = page.getByRole('navigation', { name: 'Guides' });
  const top = (id: string) => page.locator(`#${id}`).evaluate((heading) => heading.getBoundingClientRect().top);

  await t.test('are found from the first page, by keyboard, and lead to each other', async () => {
    await page.goto(app.url);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Guides' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Guides', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Operate it' }).click();
    await page.getByRole('heading', { name: 'Operate it', level: 1 }).waitFor();
    assert.match(await page.title(), /^Operate it/);
    await page.getByRole('article').getByRole('link', { name: 'How far this goes' }).first().click();
    await page.waitForURL(/\/guides\/scale\/$/);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });

  await t.test('each opens at its address', async () => {
    for (const { name } of GUIDES) {
      assert.equal((await page.goto(`${app.url}/guides/${name}/`))!.status(), 200);
      await page.getByRole('article').getByRole('heading', { level: 1 }).waitFor();
    }
  });

  await t.test('a heading has an address, and a place in the menu', async () => {
    await page.goto(`${app.url}/guides/operate/#upgrade`);
    await page.waitForFunction(() => scrollY > 1000);
    await menu.getByRole('link', { name: 'Size it' }).click();
    await page.waitForURL(/#size-it$/);
    const place = await top('size-it');
    assert.ok(place > 60 && place < 200, `${place} px from the top, under the header`);
  });

  await t.test('a block of commands is copied without what they print', async () => {
    await page.goto(`${app.url}/guides/write-a-service/`);
    await page.locator('figure', { hasText: 'curl' }).first().getByRole('button', { name: 'Copy the code' }).click();
    await page.getByText('Copied').first().waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^curl /);
    assert.doesNotMatch(copied, /#=>/);
  });

  await t.test('on a phone the contents open and close', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('button', { name: 'Contents' }).click();
    await menu.getByRole('link', { name: 'The client' }).click();
    await page.getByRole('heading', { name: 'The client', level: 1 }).waitFor();
    assert.equal(await menu.getByRole('link', { name: 'Operate it' }).isVisible(), false);
  });

  await t.test('load little', async () => {
    const bytes = await loadedBytes(page, () => page.getByRole('heading', { level: 1 }).waitFor());
    assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
  });

  for (const name of ['', 'operate/', 'guarantees/', 'write-a-service/']) {
    await testLooks(t, page, `guides/${name}`.replaceAll('/', '-').slice(0, -1), async () => {
      await page.goto(`${app.url}/guides/${name}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const shift = await shifted();
      assert.ok(shift < 0.05, `layout shift ${shift}`);
    });
  }

  await t.test('an address that is none has a page that says so', async () => {
    assert.equal((await page.goto(`${app.url}/guides/nothing/`))!.status(), 404);
    await page.getByRole('heading', { name: 'There is no page here' }).waitFor();
  });

  await t.test('nothing from elsewhere; no errors on the console', () => {
    assert.deepEqual(
      faults.filter((fault) => !/status of 404/.test(fault)),
      [],
    );
  });
});
