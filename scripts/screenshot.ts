// Takes the README's pictures anew: `node bin/node24.js scripts/screenshot.ts`. Sample data and a while of made-up traffic.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { Client } from '../src/client/index.ts';
import { freePort, ServerProcess } from '../src/testing/server-process.ts';

const ACCOUNT = { username: 'ada', password: 'Correct1Horse', email: 'ada@example.com' };
const SIZE = { width: 1240, height: 1000 };
/** As long as the plots show something of. */
const TRAFFIC_SECONDS = 90;
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lockstep-screenshot-'));
const dataDir = join(folder, 'data');
const server = new ServerProcess({ dataDir, port: await freePort() });

function lockstep(...args: readonly string[]): [string, string[], { env: NodeJS.ProcessEnv }] {
  const words = [join(root, 'bin/lockstep.js'), ...args, '--data', dataDir];
  return [process.execPath, words, { env: { ...process.env, DATABASE_URL: '' } }];
}

async function fill(): Promise<void> {
  execFileSync(...lockstep('leaderboard', 'sample', '5000', '--import'));
  execFileSync(...lockstep('cruddur', 'seed'));
  const client = new Client({ url: server.url });
  await client.session.signUp(ACCOUNT);
  execFileSync(...lockstep('users', 'grant', ACCOUNT.username, 'admin'));
  const names = ['fireman', 'bananaman', 'iceqwen', 'mole', 'windrider'];
  const hero = (name: string, xp: number) => ({ hero: 'yes', power: 'fire', name, xp, color: 'red' });
  await client.send('POST /heroes/', { body: names.map(hero) });
}

/** A wave of three colours, as somebody would draw it, while the picture is taken. */
function draw(): void {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/scribble`, ['scribble.v2']);
  socket.onopen = () => {
    for (let id = 1; id <= 60; id++) setTimeout(() => socket.send(stroke(id)), id * 1000);
  };
}

function stroke(id: number): ArrayBuffer {
  const points = Array.from({ length: 900 }, (_, i) => {
    const x = ((id - 1) * 16 + Math.floor(i / 56)) % 1000;
    const y = 500 + Math.round(280 * Math.sin(x / 90 + (id % 3)) + (i % 56) - 28);
    return (x + y * 1000) | ((2 + (id % 3) * 4) << 20);
  });
  const frame = new DataView(new ArrayBuffer(8 + 4 * points.length));
  frame.setUint8(0, 1);
  frame.setUint8(1, 8);
  frame.setUint32(4, id, true);
  points.forEach((point, i) => {
    frame.setUint32(8 + 4 * i, point, true);
  });
  return frame.buffer;
}

async function takePicture(page: Page, name: string): Promise<void> {
  await sleep(4000); // for what moves to be on its way
  await page.screenshot({ path: join(root, `docs/images/${name}.png`) });
}

async function takePictures(browser: BrowserContext): Promise<void> {
  const page = await browser.newPage();
  await page.setViewportSize(SIZE);
  await page.goto(`${server.url}/console/`);
  await page.getByLabel('User name').fill(ACCOUNT.username);
  await page.getByLabel('Password').fill(ACCOUNT.password);
  await page.keyboard.press('Enter');
  await page.getByText('Every view in lockstep').waitFor();
  await sleep(TRAFFIC_SECONDS * 1000);
  await page.emulateMedia({ colorScheme: 'dark' });
  await takePicture(page, 'console');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(server.url);
  await page.setViewportSize({ ...SIZE, height: 1420 });
  await takePicture(page, 'home');
}

try {
  server.start();
  await server.ready();
  await fill();
  const rides = execFile(
    ...lockstep('taxi', 'simulate', '--rate', '12', '--trips', String(12 * (TRAFFIC_SECONDS + 20))),
  );
  draw();
  const browser = await chromium.launchPersistentContext(join(folder, 'chromium'), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  await takePictures(browser);
  await browser.close();
  rides.kill();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(0);
