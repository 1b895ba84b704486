import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

type Look = readonly ['desktop' | 'phone', 'light' | 'dark'];

/** Pictures of the pages for people; `LOCKSTEP_SHOTS` names the folder, unset makes none. */
const SHOTS = process.env.LOCKSTEP_SHOTS;

const DEVICES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

/** Two of the four are looked at by every run, all of them for pictures. */
const LOOKS: readonly Look[] = [
  ['desktop', 'light'],
  ['phone', 'dark'],
  ...(SHOTS
    ? ([
        ['desktop', 'dark'],
        ['phone', 'light'],
      ] as const)
    : []),
];

/** Between the devices, and below them: nothing may stand beside the screen there either. */
const WIDTHS = [320, 660, 768, 1024];

/** The page as it is from now on: its size, its colours, nothing that moves. */
async function wear(page: Page, [device, colorScheme]: Look): Promise<void> {
  await page.setViewportSize(DEVICES[device]);
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}

/** Takes its picture, where pictures are asked for. */
async function takePicture(page: Page, name: string, [device, colorScheme]: Look): Promise<void> {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}-${device}-${colorScheme}.png`, fullPage: true });
}

/** Nothing that axe finds fault with, nothing beside the screen. */
export async function assertAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => [id, help, nodes[0]?.html]);
  assert.deepEqual(found, []);
  await assertFits(page);
}

async function assertFits(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide at ${page.viewportSize()!.width}`);
}

/** Nothing stands beside the screen, however wide it is. */
export async function assertFitsAnywhere(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    // What is drawn takes its new size a frame later.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await assertFits(page);
  }
}

/** The page in each look, brought by `open` to where it can be judged: it is accessible, it fits, and has its picture taken. */
export async function testLooks(t: TestContext, page: Page, name: string, open: () => Promise<unknown>): Promise<void> {
  for (const look of LOOKS) {
    await t.test(`${name} is accessible and fits: ${look.join(', ')}`, async () => {
      await wear(page, look);
      await open();
      await takePicture(page, name, look);
      await assertAccessible(page);
    });
  }
  await t.test(`${name} fits at ${WIDTHS.join(', ')} px`, () => assertFitsAnywhere(page));
}

/** Before the page is opened: notes what is moved about on it without anybody having asked. */
export async function watchShifts(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const noted = window as unknown as { shifted: number };
    noted.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
        if (!entry.hadRecentInput) noted.shifted += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return () => page.evaluate(() => (window as unknown as { shifted: number }).shifted);
}

/** Loads the page as on a first visit; bytes that its scripts and styles, and it itself, took on their way. `until` it shows what it is for. */
export async function loadedBytes(page: Page, until: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.reload();
  await until();
  await session.detach();
  return page.evaluate(() => {
    const entries = performance.getEntries().filter((entry) => entry instanceof PerformanceResourceTiming);
    const files = entries.filter(({ name, entryType }) => entryType === 'navigation' || /\.(js|css|svg)$/.test(name));
    return files.reduce((sum, { transferSize }) => sum + transferSize, 0);
  });
}
