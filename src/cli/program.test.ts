import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { pino } from 'pino';
import { startControl } from '../http/control.ts';
import type { VerifyReport, ViewHandle, ViewStatus } from '../live/live.ts';
import type { SystemStatus } from '../runtime/runtime.ts';
import { statusText } from './commands/status.ts';
import { Output } from './output.ts';
import { runCommandLine } from './program.ts';

const status: ViewStatus = {
  service: 'leaderboard',
  name: 'boards',
  kind: 'leaderboard',
  state: 'live',
  position: 'e-1',
  lagBytes: 0,
  entries: 12_345,
  bytes: 2 ** 21,
  progress: null,
  rebuilds: 2,
  fault: null,
};

const report: VerifyReport = {
  view: 'leaderboard/boards',
  position: 'e-1',
  compared: 12_345,
  drift: 0,
  examples: [],
  seconds: 0.25,
};

const system: SystemStatus = {
  version: '1.2.3',
  pid: 4711,
  url: 'http://localhost:8080',
  uptime: 75,
  record: { engine: 'embedded PostgreSQL 18.4', embedded: true, url: 'postgres://lockstep:***@/lockstep' },
  store: 'memory',
  live: {
    ready: true,
    position: 'e-1',
    epoch: 'e',
    following: true,
    slot: { name: 'lockstep_1', temporary: true, retainedBytes: 2048 },
    transactions: 1,
    changes: 2000,
    reconnects: 0,
    views: [status],
    projections: [],
    nodes: null,
  },
};

function dataDirectory(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A running server's control socket with one view that answers `report` to `verify`. */
async function serve(t: TestContext, verified: VerifyReport | Error, shown = status): Promise<string> {
  const dataDir = dataDirectory(t);
  const view = {
    name: 'leaderboard/boards',
    status: () => shown,
    async verify(progress) {
      progress?.(5, 10);
      if (verified instanceof Error) throw verified;
      return verified;
    },
    rebuild: async () => {},
  } as Partial<ViewHandle> as ViewHandle;
  const control = await startControl({
    dataDir,
    log: pino({ level: 'silent' }),
    status: () => system,
    views: new Map([[view.name, view]]),
  });
  t.after(() => control.close());
  return dataDir;
}

async function lockstep(dataDir: string, ...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const out = new Output({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  const code = await runCommandLine(args, {
    findServices: async () => [],
    out,
    env: { LOCKSTEP_DATA: dataDir },
    cwd: dataDir,
  });
  return { code, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}

test('status shows the nodes and who follows the record', () => {
  const node = { host: 'a', pid: 1, started: 1000, seen: 13_000, position: 'e-1', url: 'http://a:1', ready: true };
  const nodes = [
    { ...node, id: 'a-1', leading: true },
    { ...node, id: 'b-2', leading: false },
    { ...node, id: 'c-3', leading: false, ready: false, url: null, position: null },
  ];
  const text = stripVTControlCharacters(statusText({ ...system, live: { ...system.live, slot: null, nodes } }));
  assert.match(text, /^slot +held by the node that follows the record$/m);
  assert.match(text, /^a-1 +follows the record +http:\/\/a:1 +12 s +e-1$/m);
  assert.match(text, /^b-2 +in step /m);
  assert.match(text, /^c-3 +out of step +- +12 s +-$/m);
});

test('status shows every view, the slot and the engines of the running server', async (t) => {
  const { code, stdout } = await lockstep(await serve(t, report), 'status');
  assert.equal(code, 0);
  for (const shown of [
    /^lockstep +1\.2\.3, serving http:\/\/localhost:8080 for 1 min 15 s, process 4711$/m,
    /^record +embedded PostgreSQL 18\.4 +postgres:/m,
    /^feed +at e-1, 1 transaction, 2,000 changes since its start$/m,
    /^slot +lockstep_1, temporary, keeps 2\.0 KiB of log$/m,
    /^leaderboard\/boards +leaderboard +live +0 B +12,345 +2\.0 MiB +2 +e-1$/m,
  ]) {
    assert.match(stdout, shown);
  }
});

test('status --json is the whole status, wherever the option stands', async (t) => {
  const dataDir = await serve(t, report);
  for (const args of [
    ['status', '--json'],
    ['--json', 'status'],
  ]) {
    assert.deepEqual(JSON.parse((await lockstep(dataDir, ...args)).stdout), system);
  }
});

test('[SPEC 7] verify ends with 0 when nothing differs', async (t) => {
  const { code, stdout } = await lockstep(await serve(t, report), 'verify', 'boards');
  assert.equal(stdout, '✔ leaderboard/boards  12,345 compared, drift 0  at e-1, 0.3 s\n');
  assert.equal(code, 0);
});

test('[SPEC 7] verify ends with 1 when there is drift, and names it', async (t) => {
  const examples = [{ what: 'game 17', inView: 'score 5', inRecord: 'none' }];
  const dataDir = await serve(t, { ...report, drift: 3, examples });
  const { code, stdout } = await lockstep(dataDir, 'verify');
  assert.match(stdout, /^✖ leaderboard\/boards {2}12,345 compared, drift 3 /);
  assert.match(stdout, /^ {4}game 17 +score 5 +none\n {4}and 2 more$/m);
  assert.equal(code, 1);
  const json = await lockstep(dataDir, 'verify', '--json');
  assert.equal(JSON.parse(json.stdout)[0].drift, 3);
  assert.equal(json.code, 1);
});

test('a view that is none is one line on stderr, and wrong usage: 1 would be drift', async (t) => {
  const dataDir = await serve(t, report);
  for (const job of ['verify', 'rebuild']) {
    const { code, stdout, stderr } = await lockstep(dataDir, job, 'nothing');
    assert.deepEqual([code, stdout], [2, ''], job);
    assert.equal(stderr, 'error: There is no view "nothing"; views: leaderboard/boards.\n');
  }
});

test('[SPEC 5] [SPEC 7] verify and rebuild end with 1 where the view cannot hold a row, and name it', async (t) => {
  const fault = 'it cannot hold the row 17 of leaderboard.games: ...';
  const dataDir = await serve(t, { ...report, fault }, { ...status, state: 'broken', fault });
  const verified = await lockstep(dataDir, 'verify');
  assert.match(verified.stdout, /^✖ leaderboard\/boards .* drift 0 .*\n {4}it cannot hold the row 17 of /);
  assert.equal(verified.code, 1);
  const rebuilt = await lockstep(dataDir, 'rebuild');
  assert.equal(rebuilt.stdout, `✖ leaderboard/boards  is broken: ${fault}\n`);
  assert.equal(rebuilt.code, 1);
});

test('a job that fails is one line on stderr, and 1', async (t) => {
  const { code, stdout, stderr } = await lockstep(await serve(t, new Error('the slot is gone')), 'verify', 'boards');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^error: .+\n$/m);
});

test('rebuild tells what was built', async (t) => {
  const { code, stdout } = await lockstep(await serve(t, report), 'rebuild');
  assert.deepEqual([code, stdout], [0, '✔ leaderboard/boards  built anew, 12,345 entries  at e-1\n']);
});

for (const args of [
  ['nonsense'],
  [],
  ['verify', 'a', 'b'],
  ['users', 'grant', 'name'],
  ['status', '--nonsense'],
  ['start', '--port', '70000'],
]) {
  test(`wrong usage ends with 2: lockstep ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await lockstep(dataDirectory(t), ...args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /lockstep/);
  });
}

test('help and version end with 0, on stdout', async (t) => {
  const dataDir = dataDirectory(t);
  for (const args of [['--help'], ['--version'], ['users', '--help']])
    assert.equal((await lockstep(dataDir, ...args)).code, 0);
});

test('config tells where each value comes from', async (t) => {
  const dataDir = dataDirectory(t);
  const { stdout } = await lockstep(dataDir, 'config');
  assert.match(stdout, /^port +PORT +default +8080$/m);
  assert.match(stdout, new RegExp(`^dataDir +LOCKSTEP_DATA +env +${dataDir}$`, 'm'));
});

test('config prints one value alone, for scripts', async (t) => {
  const dataDir = dataDirectory(t);
  for (const name of ['dataDir', 'LOCKSTEP_DATA'])
    assert.equal((await lockstep(dataDir, 'config', name)).stdout, `${dataDir}\n`);
  assert.equal((await lockstep(dataDir, 'config', 'port', '--json')).stdout, '8080\n');
  const { code, stderr } = await lockstep(dataDir, 'config', 'nonsense');
  assert.equal(code, 2);
  assert.match(stderr, /no option "nonsense"; there are host, port, /);
});
