import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../embedded.ts';
import { silent } from '../log.ts';
import { closedFor, launcherFor } from './account.ts';
import { completeLinks, findBinaries } from './binaries.ts';
import { initialise } from './initialise.ts';
import { startServer } from './server.ts';
import { makeSocketDirectory } from './socket-directory.ts';

/** These tests change users. */
const notRoot = { skip: process.getuid!() !== 0 && 'only root can change to another user' };
const NOTHING = '0000000000000000';
/** CAP_DAC_READ_SEARCH alone. */
const READ_SEARCH = '0000000000000004';

function temporary(t: TestContext, mode: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-account-'));
  chmodSync(directory, mode);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function statusOf(pid: number, field: string): string {
  return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
}

/** The same installation in a folder that only its owner may enter, as in /root, and without the libraries' links. */
function closedCopy(t: TestContext): { native: string; links: string[] } {
  const native = dirname(dirname(findBinaries().postgres));
  const copy = join(temporary(t, 0o700), 'package', 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const list = JSON.parse(readFileSync(join(copy, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  const links = list.map(({ target }) => join(dirname(copy), target));
  for (const link of links) unlinkSync(link);
  return { native: copy, links };
}

test('missing links of the libraries are made, and made once', (t) => {
  const { native, links } = closedCopy(t);
  completeLinks(native);
  completeLinks(native);
  for (const link of links) assert.ok(lstatSync(link).isSymbolicLink() && existsSync(link), link);
});

test(
  'under root the server is an ordinary user, who may at most pass folders that are closed to it',
  notRoot,
  async (t) => {
    for (const mode of [0o700, 0o711]) {
      const dataDir = join(temporary(t, mode), 'data');
      const postgres = await startEmbedded({ dataDir, log: silent, settings: { fsync: 'off' } });
      const [user, capabilities] = [statusOf(postgres.pid, 'Uid'), statusOf(postgres.pid, 'CapPrm')];
      await postgres.stop();
      const account = statSync(join(dataDir, 'postgres'));
      const closed = [dataDir, findBinaries().postgres].some((path) => closedFor(account, path) !== undefined);
      assert.ok(closed || mode === 0o711);
      assert.equal(user, String(account.uid));
      assert.notEqual(user, '0');
      assert.equal(capabilities, closed ? READ_SEARCH : NOTHING);
    }
  },
);

test('binaries and data in a folder closed to others, as in /root', notRoot, async (t) => {
  const { native } = closedCopy(t);
  completeLinks(native);
  const dataDir = temporary(t, 0o700);
  const pgdata = join(dataDir, 'postgres');
  const binaries = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
  const launcher = launcherFor({ dataDir, pgdata, program: binaries.postgres });
  const cluster = { dataDir, pgdata, binaries, launcher, durable: false };
  await initialise(cluster);
  const socketDirectory = makeSocketDirectory(dataDir, launcher);
  const server = await startServer({
    cluster,
    name: 'closed',
    socketDirectory,
    settings: { fsync: 'off' },
    log: silent,
  });
  assert.equal(statusOf(server.pid, 'CapPrm'), READ_SEARCH);
  await server.stop();
});

test('as an ordinary user', notRoot, async (t) => {
  const script = fileURLToPath(new URL('../../testing/lockstep-like.ts', import.meta.url));
  const nobody = { uid: 65_534, gid: 65_534 };
  const closed = closedFor(nobody, script) ?? closedFor(nobody, process.execPath);
  if (closed) return t.skip(`an ordinary user may not enter ${closed}`);
  const dataDir = temporary(t, 0o700);
  chownSync(dataDir, nobody.uid, nobody.gid);
  const child = spawn(process.execPath, [script, dataDir], { ...nobody, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  assert.match(String(line), /^postgres:/);
  const postmaster = Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10);
  assert.deepEqual([statusOf(postmaster, 'Uid'), statusOf(postmaster, 'CapPrm')], ['65534', NOTHING]);
});
