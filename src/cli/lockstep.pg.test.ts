// The command as users run it: processes of their own, on an embedded database of their own.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import pg from 'pg';
import { freePort, ServerProcess } from '../testing/server-process.ts';

const command = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lockstep-cli-'));
const dataDir = join(folder, 'data');
const env = { ...process.env, LOCKSTEP_DATA: dataDir, DATABASE_URL: '' };

after(() => rmSync(folder, { recursive: true }));

async function lockstep(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [command, ...args], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const [code] = await once(child, 'close');
  return { code, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}

async function json(...args: string[]) {
  const { code, stdout, stderr } = await lockstep(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function gamesFile(name: string, lines: readonly object[]): string {
  const file = join(folder, name);
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  return file;
}

const game = { username: 'ann', gamedate: '2026-11-06T04:03:45', score: 10, level: 3 };

async function effectiveUrl(): Promise<string> {
  const options: { name: string; value: string }[] = await json('config', '--show-secrets');
  return options.find((option) => option.name === 'databaseUrl')!.value;
}

describe('where no server runs, a command opens what it needs', () => {
  test('status, with the views built for it', async () => {
    const status = await json('status');
    assert.equal(status.url, null);
    assert.ok(status.record.embedded);
    const views: { service: string; state: string }[] = status.live.views;
    assert.ok(views.some(({ service }) => service === 'leaderboard'));
    assert.deepEqual(
      views.filter(({ state }) => state !== 'live'),
      [],
    );
  });

  test('an import is all or nothing, and names the first bad record', async () => {
    const { code, stderr } = await lockstep(
      'leaderboard',
      'import',
      gamesFile('bad.jsonl', [game, { ...game, level: 0 }]),
    );
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*line 2.*level/m);
    assert.equal((await json('leaderboard', 'import', gamesFile('good.jsonl', [game, game, game]))).games, 3);
  });

  test('an import that fails is one sentence, of a folder too', async () => {
    const file = gamesFile('bad.csv', []);
    writeFileSync(file, 'x,yes,fire,fireman,1,red\n');
    const bad = await lockstep('heroes', 'import', file);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^error: line 1: id must be a whole number, found "x"\. Nothing was stored\.$/m);
    for (const service of ['heroes', 'leaderboard']) {
      const { code, stderr } = await lockstep(service, 'import', folder);
      assert.deepEqual([code, /it is a folder; give the path of a file/.test(stderr)], [1, true], stderr);
    }
  });

  test('[SPEC 7] verify compares what was imported', async () => {
    const [report] = await json('verify');
    assert.deepEqual([report.compared, report.drift], [3, 0]);
  });

  test('a projection is reconciled without a server too', async () => {
    const [status] = await json('rebuild', 'taxi/rides');
    assert.deepEqual([status.kind, status.name], ['projection', 'rides']);
    assert.ok(status.rebuilds >= 1);
  });

  test('a view that is none is wrong usage', async () => {
    const { code, stderr } = await lockstep('verify', 'nope');
    assert.match(stderr, /^error: There is no view "nope"; views: .*leaderboard\/games/m);
    assert.equal(code, 2);
  });

  test('config shows the password only when asked', async () => {
    const { stdout } = await lockstep('config');
    assert.match(stdout, /^databaseUrl .* postgres:\/\/lockstep:\*\*\*@/m);
    assert.match(await effectiveUrl(), /^postgres:\/\/lockstep:[\w-]{20,}@/);
  });
});

describe('where a server runs, a command joins it', () => {
  let server: ServerProcess;

  before(async () => {
    server = new ServerProcess({ dataDir, port: await freePort() });
    server.start();
    await server.ready();
  });

  after(() => server.stop('SIGKILL'));

  test('status is the server’s', async () => {
    const status = await json('status');
    assert.match(status.url, /^http:\/\/localhost:\d+$/);
    const boards = status.live.views.find((view: { service: string }) => view.service === 'leaderboard');
    assert.equal(boards.entries, 3);
  });

  test('an import reaches the boards it serves', async () => {
    await json('leaderboard', 'import', gamesFile('more.jsonl', [game]));
    const [status] = await json('rebuild', 'games');
    assert.equal(status.entries, 4);
    assert.equal((await lockstep('verify')).code, 0);
  });

  test('users are listed, and given and deprived of a role', async () => {
    await fetch(`${server.url}/leaderboard/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'puzzlemaster', password: 'Correct1Horse', email: 'pm@example.com' }),
    });
    assert.equal((await lockstep('users', 'grant', 'puzzlemaster', 'admin')).code, 0);
    assert.equal(
      (await lockstep('users', 'grant', 'puzzlemaster', 'root')).stderr,
      'no service declares the role root; there are admin, driver\n',
    );
    assert.equal((await lockstep('users', 'revoke', 'puzzlemaster', 'root')).code, 0);
    assert.deepEqual(
      (await json('users', 'list')).map((user: { roles: string[] }) => user.roles),
      [['admin']],
    );
    assert.equal(
      (await lockstep('users', 'revoke', 'puzzlemaster', 'admin')).stdout,
      'puzzlemaster no longer has the role admin; tokens from before end within 10 s\n',
    );
    const unknown = await lockstep('users', 'grant', 'nobody', 'admin');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /^error: .*nobody/);
  });

  test('the effective DATABASE_URL connects', async () => {
    const client = new pg.Client({ connectionString: await effectiveUrl() });
    await client.connect();
    const { rows } = await client.query('select count(*)::int as games from leaderboard.games');
    await client.end();
    assert.deepEqual(rows, [{ games: 4 }]);
  });

  test('the effective DATABASE_URL connects psql', async (t) => {
    const psql = promisify(execFile);
    const found = await psql('psql', ['--version']).catch(() => undefined);
    if (!found) return t.skip('psql is not installed');
    const { stdout } = await psql('psql', [await effectiveUrl(), '-Atc', 'select count(*) from leaderboard.games']);
    assert.equal(stdout, '4\n');
  });

  test('a second server on the directory is refused in one line', async () => {
    const { code, stderr } = await lockstep('start', '--port', '0');
    assert.equal(code, 1);
    assert.match(stderr, /^error: The data directory .* in use by another Lockstep \(process \d+\)\..*\n$/);
  });

  test('SIGTERM ends it in order, with 0', async () => {
    await server.stop();
    assert.match(server.output, /ready +http:\/\/localhost:\d+/);
    assert.match(server.output, /stopped\n$/);
  });
});

test('a server ends when the process that started it is gone', async (t) => {
  const child = spawn(process.execPath, [command, 'start', '--port', '0', '--json'], {
    env: { ...env, LOCKSTEP_PARENT: String(process.pid) },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data'); // It is ready.
  child.disconnect();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a server ends when npm and its shell are gone', async (t) => {
  const shell = spawn('sh', ['-c', '"$0" "$@"; true', process.execPath, command, 'start', '--port', '0', '--json'], {
    env: { ...env, npm_lifecycle_event: 'start', LOCKSTEP_PARENT: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(shell.stdout.setEncoding('utf8'), 'data'); // It is ready.
  const { pid } = JSON.parse(line);
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // It has ended, as it should.
  });
  shell.kill('SIGKILL');
  await once(shell.stdout.resume(), 'close'); // The server held its other end.
});
