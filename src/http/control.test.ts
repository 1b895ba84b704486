import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type ControlOptions, controlServer, controlSocketPath, type Rebuildable, startControl } from './control.ts';
import { TestView } from './testing/live.ts';

const log = pino({ level: 'silent' });

function options(dataDir: string, views = new Map([['sample/numbers', new TestView()]])): ControlOptions {
  return { dataDir, log, status: () => ({ ready: true }), views };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lockstep-control-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path }, (response) => resolve(text(response)))
      .on('error', reject)
      .end();
  });
}

test('the command line reaches the server by a socket that only this user can open', async (t) => {
  const dataDir = await folder(t);
  const control = await startControl(options(dataDir));
  assert.equal(control.path, join(dataDir, 'run', 'control.sock'));
  assert.equal(control.path, controlSocketPath(dataDir));
  assert.equal((await stat(control.path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(dataDir, 'run'))).mode & 0o777, 0o700);
  assert.equal(await ask(control.path, 'GET', '/status'), '{"ready":true}');
  await control.close();
  await assert.rejects(stat(control.path));
});

test("a dead server's socket file is replaced", async (t) => {
  const dataDir = await folder(t);
  await (await startControl(options(dataDir))).close();
  await writeFile(controlSocketPath(dataDir), '');
  const control = await startControl(options(dataDir));
  assert.equal(await ask(control.path, 'GET', '/status'), '{"ready":true}');
  await control.close();
});

test('a data folder with too long a path has its socket in /tmp, in a folder of its own', async (t) => {
  const dataDir = join(await folder(t), 'x'.repeat(100));
  const path = controlSocketPath(dataDir);
  assert.match(path, /^\/tmp\/lockstep-[0-9a-f]{32}\/control\.sock$/);
  t.after(() => rm(join(path, '..'), { recursive: true, force: true }));
  const control = await startControl(options(dataDir));
  assert.equal(await ask(path, 'GET', '/status'), '{"ready":true}');
  await control.close();
});

test('verify and rebuild stream progress lines, then the result', async (t) => {
  const app = controlServer(options(await folder(t)));
  const lines = async (url: string) => {
    const response = await app.inject({ method: 'POST', url });
    return response.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const verified = await lines('/verify');
  assert.deepEqual(verified[0], { progress: { view: 'sample/numbers', rows: 3, of: 3 } });
  const [report] = verified.at(-1)!.result as { drift: number }[];
  assert.equal(report?.drift, 0);
  const [status] = (await lines('/rebuild?view=numbers')).at(-1)!.result as { state: string }[];
  assert.equal(status?.state, 'live');
});

test('a view that is none is 404 naming those there are; a failed job ends in a line with the reason', async (t) => {
  const view = new TestView();
  view.verify = async () => {
    throw new Error('the slot is gone');
  };
  const app = controlServer(options(await folder(t), new Map([['sample/numbers', view]])));
  const missing = await app.inject({ method: 'POST', url: '/verify?view=other' });
  assert.equal(missing.statusCode, 404);
  assert.match(missing.json<{ message: string }>().message, /views: sample\/numbers/);
  const failed = await app.inject({ method: 'POST', url: '/verify' });
  assert.match(failed.body, /"error":\{"status":500,"message":"the slot is gone"\}/);
});

test('projections are verified like views; one that another node follows only when it is named', async (t) => {
  const [view, here, elsewhere] = [new TestView(), new TestView(), new TestView()];
  const standby = {
    rebuild: () => elsewhere.rebuild(),
    verify: () => Promise.reject(new Error('another node follows it')),
    status: () => ({ state: 'standby' }),
  };
  const app = controlServer({
    ...options(await folder(t), new Map([['sample/numbers', view]])),
    projections: new Map<string, Rebuildable>([
      ['sample/ledger', here],
      ['sample/other', standby],
    ]),
  });
  const last = async (url: string) => (await app.inject({ method: 'POST', url })).body.trim().split('\n').at(-1)!;
  assert.equal((JSON.parse(await last('/verify')) as { result: unknown[] }).result.length, 2);
  assert.match(await last('/verify?view=other'), /"error":\{"status":500/);
});
