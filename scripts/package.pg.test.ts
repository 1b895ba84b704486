// The package as a user gets it: packed, installed into an empty folder, started, imported, and a service of one's own on it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SystemStatus } from '../src/runtime/runtime.ts';
import { freePort } from '../src/testing/server-process.ts';
import { mismatch, steps, tutorialBlocks } from './doc-blocks.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT = ['node_modules', '.git', '.lockstep', 'dist'];
const execute = promisify(execFile);
let place: string;
let user: string;

/** As a user's: not a test's child, no database elsewhere. */
const { NODE_TEST_CONTEXT: _, LOCKSTEP_TEST_PG: __, DATABASE_URL: ___, LOCKSTEP_DATA: ____, ...own } = process.env;
/** npm would leave its compile cache in the folder for temporary files. */
const env = { ...own, NODE_DISABLE_COMPILE_CACHE: '1' };

/** What it printed; an error has that in it. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await execute(command, args, { cwd, env, maxBuffer: 2 ** 26 }).catch((error) => {
    throw new Error(`${command} ${args.join(' ')}: ${error.stdout}${error.stderr}`);
  });
  return stdout;
}

const lockstep = (...args: string[]) => run(join(user, 'node_modules/.bin/lockstep'), args, user);

/** Runs `lockstep` until it is stopped; returns when it is ready. */
async function start(port: number, args: readonly string[]): Promise<{ stop(): Promise<unknown> }> {
  const options = { cwd: user, env: { ...env, PORT: String(port) }, stdio: 'ignore' } as const;
  const server = spawn(join(user, 'node_modules/.bin/lockstep'), args, options);
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const deadline = Date.now() + 60_000; !(await isReady()); await sleep(50)) assert.ok(Date.now() < deadline);
  return {
    stop() {
      server.kill();
      return ended;
    },
  };
}

before(async () => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'lockstep-package-')));
  user = join(place, 'user');
  const copy = join(place, 'lockstep');
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.includes(basename(path)) || path.endsWith('web/dist'),
  });
  linkModules(join(copy, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', place], copy);
  assert.equal(readFileSync(join(copy, 'package.json'), 'utf8'), readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "type": "module" }\n');
  await run('npm', ['install', '--prefer-offline', join(place, 'lockstep-0.1.0.tgz')], user);
});

/** As `npm ci` leaves them: without what caches there. */
function linkModules(folder: string): void {
  mkdirSync(folder);
  const modules = join(root, 'node_modules');
  for (const name of readdirSync(modules)) if (name !== '.cache') symlinkSync(join(modules, name), join(folder, name));
}

after(() => rmSync(place, { recursive: true, force: true, maxRetries: 5 }));

test('lockstep start and status work in a folder that has nothing but the package', async () => {
  const port = await freePort();
  const server = await start(port, ['start']);
  try {
    const page = await fetch(`http://127.0.0.1:${port}/leaderboard/`);
    assert.match(await page.text(), /<script type="module"/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/guides/operate/`)).status, 200);
    assert.match(await lockstep('status'), new RegExp(`serving http://localhost:${port}`));
    for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
      const { live } = JSON.parse(await lockstep('status', '--json')) as Pick<SystemStatus, 'live'>;
      if (live.projections.every(({ state }) => state === 'following')) break;
      const faults = live.projections.map(({ fault }) => fault);
      assert.ok(Date.now() < deadline, `what projections write to is part of the package: ${faults}`);
    }
  } finally {
    await server.stop();
  }
});

test('lockstep new writes a service that runs, is verified, and compiles; a wrong column does not', async () => {
  assert.match(await lockstep('new', 'my-service'), /services\/my-service\/service\.ts/);
  assert.match(await lockstep('test', 'my-service'), /pass 1\n/);
  await assert.rejects(lockstep('new', 'my-service'), /is there already/);
  await assert.rejects(lockstep('new', 'My_Service'), /lower-case letters/);
  await assert.rejects(
    lockstep('start', '--only', 'nothing'),
    /LOCKSTEP_ONLY names "nothing".*leaderboard, .*my-service/,
  );

  // By the tsconfig.json that came with it; the user's own packages would be beside it.
  const compile = () => {
    const types = join(root, 'node_modules/@types');
    return run(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--typeRoots', types],
      user,
    );
  };
  await compile();
  const file = join(user, 'services/my-service/service.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace("score: 'points'", "score: 'point'"));
  await assert.rejects(compile(), /'"point"' is not assignable/);
});

test('docs/write-a-service.md works as written', async () => {
  const port = await freePort();
  const blocks = tutorialBlocks(readFileSync(join(root, 'docs/write-a-service.md'), 'utf8'));
  const written = (text: string) => text.replaceAll('localhost:8080', `127.0.0.1:${port}`);
  let server: Awaited<ReturnType<typeof start>> | undefined;
  try {
    for (const { language, info, text } of blocks) {
      if (language !== 'sh') writeFileSync(join(user, info), text);
      else if (info === 'user') await runSteps(written(text.replace('npm install lockstep\n', '')));
      else {
        await server?.stop();
        server = await start(port, text.trim().split(' ').slice(2));
      }
    }
  } finally {
    await server?.stop();
  }
});

async function runSteps(text: string): Promise<void> {
  for (const { code, expected } of steps(text.trimEnd().split('\n'))) {
    const output = await run('bash', ['-euo', 'pipefail', '-c', code], user);
    assert.equal(mismatch(output, expected), undefined, code);
  }
}
