import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import AxeBuilder from '@axe-core/playwright';
import type { Page, WebSocketRoute } from 'playwright-core';
import { buildWebIfNeeded } from '../../scripts/build-web.ts';
import { testApp } from '../../src/testing/app.ts';
import { testBrowser, watchedPage } from '../../src/testing/browser.ts';
import { HEIGHT, PALETTE, PAPER, WIDTH } from './canvas.ts';
import { until } from './test-clients.ts';
import { Writes } from './writes.ts';

/** Pictures of the pages for people; `LOCKSTEP_SHOTS` names the folder, unset makes none. */
const SHOTS = process.env.LOCKSTEP_SHOTS;

/** The canvas as it is on the screen, one pixel a cell. */
async function shownCells(page: Page): Promise<string[]> {
  const hex = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.easel')!;
    const { width, height } = canvas;
    const side = Math.min(width, height);
    const { data } = canvas.getContext('2d')!.getImageData((width - side) / 2, (height - side) / 2, side, side);
    let text = '';
    for (let i = 0; i < data.length; i += 4)
      text += `${data[i]!.toString(16).padStart(2, '0')}${data[i + 1]!.toString(16).padStart(2, '0')}${data[i + 2]!.toString(16).padStart(2, '0')}`;
    return `${side} ${text}`;
  });
  const [side, text] = hex.split(' ') as [string, string];
  assert.equal(side, '1000', 'one pixel a cell');
  return Array.from({ length: WIDTH * HEIGHT }, (_, cell) => `#${text.slice(cell * 6, cell * 6 + 6)}`);
}

test('the scribble page', async (t) => {
  await buildWebIfNeeded();
  const app = await testApp(t);
  const url = `${app.url}/scribble/`;
  const writes = new Writes(app);
  const recorded = async (): Promise<string[]> => {
    const rows = await app.record.query<{ index: number; color: number | null }>(
      'select index, color from scribble.cells',
    );
    const cells = Array<string>(WIDTH * HEIGHT).fill(PAPER);
    for (const { index, color } of rows) if (color !== null) cells[index] = PALETTE[color]!;
    return cells;
  };
  const count = async (where: string): Promise<number> => {
    const [row] = await app.record.query<{ rows: number }>(
      `select count(*) as rows from scribble.points where ${where}`,
    );
    return row!.rows;
  };
  await app.record.query(
    `insert into scribble.points (index, color, address)
      select (n * 7919) % 1000000, n % 16, 'psql' from generate_series(1, 20000) n`,
  );
  // Wide and high enough for a canvas of 1000 x 1000 pixels, border and page included.
  const context = await testBrowser(t, { viewport: { width: 1280, height: 1400 } });
  const { page, faults } = await watchedPage(context, app.url);
  const easel = page.locator('.easel');
  const live = () => page.locator('.connection[data-state="live"]').waitFor();
  const stored = () => page.locator('.connection[data-unstored="0"]').waitFor();
  const fit = async (target: Page) => {
    await target.evaluate(() => {
      document.querySelector<HTMLCanvasElement>('.easel')!.style.height = '1002px';
    });
    await target.waitForFunction(() => document.querySelector<HTMLCanvasElement>('.easel')!.height === 1000);
  };

  await t.test('opened while others draw, it ends with exactly the bitmap of the record', async () => {
    const stop = new AbortController();
    const drawing = (async () => {
      for (let i = 0; !stop.signal.aborted; i = (i + 40) % 1_000_000)
        await Promise.all(
          Array.from({ length: 40 }, (_, j) =>
            writes.draw({
              index: (i * 13 + j * 25_111) % 1_000_000,
              color: (i + j) % 17 === 16 ? null : (i + j) % 16,
              username: null,
              address: 'others',
            }),
          ),
        );
    })();
    await page.goto(url);
    await live();
    await fit(page);
    await sleep(500);
    stop.abort();
    await drawing;
    const expected = await recorded();
    let shown: string[] = [];
    await until('the page to show the record', async () => {
      shown = await shownCells(page);
      return shown.every((color, cell) => color === expected[cell]);
    });
    assert.deepEqual(shown, expected);
  });

  await t.test('draws with the mouse in a colour, and erases', async () => {
    await page.getByLabel('Red', { exact: true }).check();
    await page.getByLabel('Brush 1 wide').check();
    const box = (await easel.boundingBox())!;
    const x = box.x + (box.width - 1000) / 2;
    const y = box.y + 1;
    await page.mouse.move(x + 100.5, y + 200.5);
    await page.mouse.down();
    await page.mouse.move(x + 160.5, y + 200.5, { steps: 4 });
    await page.mouse.up();
    await stored();
    await until(
      'a line of 61 points, but for those that were red',
      async () => (await count("index between 200100 and 200160 and color = 2 and address = '127.0.0.1'")) >= 50,
    );
    await page.getByLabel('Eraser').check();
    await page.mouse.click(x + 130.5, y + 200.5);
    await until('an erased point', async () => (await count('index = 200130 and color is null')) >= 1);
    const expected = await recorded();
    await until('the page to show it', async () =>
      (await shownCells(page)).every((color, cell) => color === expected[cell]),
    );
  });

  await t.test('draws with a finger; two fingers move and zoom, and draw nothing', async () => {
    await page.getByLabel('Sky').check();
    const before = await count('color = 10');
    await touch(page, [[[300, 300]], [[320, 300]], [[340, 310]]]);
    await until('the finger', async () => (await count('color = 10')) > before + 30);
    const drawn = await count('color = 10');
    await touch(page, [
      [
        [300, 500],
        [500, 500],
      ],
      [
        [200, 500],
        [600, 500],
      ],
    ]);
    await stored();
    assert.equal(await count('color = 10'), drawn);
    await page.getByRole('button', { name: 'Show all of it' }).click();
  });

  await t.test('draws with the keyboard alone', async () => {
    await page.getByLabel('Pink').focus();
    await page.keyboard.press('Space');
    await easel.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Space');
    await until('the point', async () => (await count('index = 510501 and color = 15')) === 1);
  });

  await t.test('what is drawn without a connection is kept, shown, and stored when it is back', async () => {
    const { page: other } = await watchedPage(context, app.url);
    let reachable = true;
    const routes: WebSocketRoute[] = [];
    await other.routeWebSocket(/\/scribble(\?|$)/, (route) => {
      if (reachable) route.connectToServer();
      else void route.close();
      routes.push(route);
    });
    await other.goto(url);
    await other.locator('.connection[data-state="live"]').waitFor();
    reachable = false;
    for (const route of routes) await route.close();
    await other.locator('.connection[data-state="offline"]').waitFor();
    await other.getByLabel('Navy').check();
    const { x, y } = (await other.locator('.easel').boundingBox())!;
    await other.mouse.move(x + 400, y + 400);
    await other.mouse.down();
    await other.mouse.move(x + 500, y + 450, { steps: 5 });
    await other.mouse.up();
    await other.getByText(/points wait here/).waitFor();
    assert.equal(await count("color = 8 and address = '127.0.0.1'"), 0);
    reachable = true;
    await other.locator('.connection[data-unstored="0"][data-state="live"]').waitFor();
    assert.ok((await count("color = 8 and address = '127.0.0.1'")) > 100);
    await other.close();
  });

  await t.test('who is here', async () => {
    await page.locator('.here').getByText('You are here alone').waitFor();
    const { page: other } = await watchedPage(context, app.url);
    await other.goto(url);
    await page.locator('.here').getByText('2 guests').waitFor();
    await other.close();
  });

  await t.test('plays the time-lapse', async () => {
    await page.getByLabel('Last day').check();
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await page.getByRole('button', { name: 'Play again' }).waitFor();
    assert.ok(await page.locator('.film').evaluate((film: HTMLImageElement) => film.naturalWidth === 1000));
  });

  await t.test('axe finds nothing serious, in light and dark', async () => {
    for (const theme of ['light', 'dark']) {
      await page.evaluate((name) => document.documentElement.setAttribute('data-theme', name), theme);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(
        violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => [id, nodes[0]?.html]),
        [],
      );
    }
  });

  if (SHOTS) await takeShots(page, SHOTS);
  // The browser's advice to this test, which reads the screen.
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('willReadFrequently')),
    [],
  );
});

/** Fingers that go down, move and come up: each step is where they all are, from the canvas' corner. */
async function touch(page: Page, steps: readonly (readonly (readonly [number, number])[])[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { x, y } = (await page.locator('.easel').boundingBox())!;
  const points = (step: (typeof steps)[number]) => step.map(([left, top], id) => ({ x: x + left, y: y + top, id }));
  for (const [i, step] of steps.entries())
    await session.send('Input.dispatchTouchEvent', {
      type: i === 0 ? 'touchStart' : 'touchMove',
      touchPoints: points(step),
    });
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await session.detach();
}

async function takeShots(page: Page, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.reload();
    await page.locator('.connection[data-state="live"]').waitFor();
    for (const theme of ['light', 'dark']) {
      await page.evaluate((name) => document.documentElement.setAttribute('data-theme', name), theme);
      await sleep(500);
      await page.screenshot({ path: `${folder}/scribble-${width}-${theme}.png`, fullPage: true });
    }
  }
}
