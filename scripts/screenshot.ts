// Takes the README's picture anew: `node bin/node24.js scripts/screenshot.ts`. Sample games, the page in light above, in dark below.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium } from 'playwright-core';
import { freePort, ServerProcess } from '../src/testing/server-process.ts';

const GAMES = 5000;
const HALF = { width: 1240, height: 620 };
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lockstep-screenshot-'));
const dataDir = join(folder, 'data');
const server = new ServerProcess({ dataDir, port: await freePort() });

async function pageIn(browser: BrowserContext, colorScheme: 'light' | 'dark'): Promise<string> {
  const page = await browser.newPage();
  await page.setViewportSize(HALF);
  await page.emulateMedia({ colorScheme });
  await page.goto(`${server.url}/leaderboard/`);
  await page.locator('table tbody tr, ol li').first().waitFor();
  const picture = await page.screenshot();
  await page.close();
  return `<img width="${HALF.width}" src="data:image/png;base64,${picture.toString('base64')}">`;
}

async function takePicture(browser: BrowserContext): Promise<void> {
  const halves = [await pageIn(browser, 'light'), await pageIn(browser, 'dark')];
  const page = await browser.newPage();
  await page.setViewportSize({ width: HALF.width, height: 2 * HALF.height });
  await page.setContent(`<body style="margin:0;display:grid">${halves.join('')}`, { waitUntil: 'load' });
  await page.screenshot({ path: join(root, 'docs/images/leaderboard.png') });
}

try {
  server.start();
  await server.ready();
  const sample = ['leaderboard', 'sample', String(GAMES), '--import', '--data', dataDir];
  execFileSync(process.execPath, [join(root, 'bin/lockstep.js'), ...sample], {
    env: { ...process.env, DATABASE_URL: '' },
  });
  const browser = await chromium.launchPersistentContext(join(folder, 'chromium'), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  await takePicture(browser);
  await browser.close();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
