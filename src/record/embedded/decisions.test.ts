import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { closedFor, unprivilegedAccount } from './account.ts';
import { isServerProcess } from './leftovers.ts';
import { serverSettings } from './settings.ts';
import { socketDirectory } from './socket-directory.ts';

test('under root PostgreSQL runs as postgres, or else as nobody', () => {
  const root = 'root:x:0:0:root:/root:/bin/bash\n';
  const nobody = 'nobody:x:65534:65533::/:/bin/false\n';
  assert.deepEqual(unprivilegedAccount(`${root}${nobody}postgres:x:101:104::/:/bin/sh\n`), { uid: 101, gid: 104 });
  assert.deepEqual(unprivilegedAccount(root + nobody), { uid: 65534, gid: 65533 });
  assert.deepEqual(unprivilegedAccount(root), { uid: 65534, gid: 65534 });
});

test('a folder that another user may not enter is found, the outermost first', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'lockstep-closed-'));
  t.after(() => rmSync(parent, { recursive: true }));
  mkdirSync(join(parent, 'a/b'), { recursive: true });
  const file = join(parent, 'a/b/file');
  const stranger = { uid: 54_321, gid: 54_321 };
  const self = { uid: process.getuid!(), gid: process.getgid!() };
  chmodSync(join(parent, 'a'), 0o700);
  assert.equal(closedFor(stranger, file), parent);
  chmodSync(parent, 0o711);
  assert.equal(closedFor(stranger, file), join(parent, 'a'));
  assert.equal(closedFor({ ...stranger, gid: self.gid }, file), join(parent, 'a'));
  assert.equal(closedFor(self, file), undefined);
  chmodSync(join(parent, 'a'), 0o710);
  assert.equal(closedFor({ ...stranger, gid: self.gid }, file), undefined);
});

test('a server process is told by its command line, and no other process is', () => {
  const cases: [string, boolean][] = [
    ['/opt/native/bin/postgres\0-D\0/data/postgres\0-k\0/run\0', true],
    ['setpriv\0--pdeathsig\0INT\0--\0/opt/native/bin/postgres\0-D\0/data/postgres\0', true],
    ['postgres: lockstep-1: checkpointer \0\0\0', true],
    ['postgres: lockstep-1: lockstep lockstep [local] idle', true],
    ['/usr/lib/postgresql/bin/postgres\0-D\0/var/lib/postgresql\0', false],
    ['postgres: lockstep-12: checkpointer ', false],
    ['postgres: checkpointer ', false],
    ['grep\0-D\0/data/postgres\0', false],
    ['', false],
  ];
  for (const [commandLine, expected] of cases) {
    assert.equal(isServerProcess(commandLine, '/data/postgres', 'lockstep-1'), expected, commandLine);
  }
});

test('the socket lies in the data directory while its path fits, and in the temporary one where not', () => {
  assert.equal(socketDirectory('/srv/app/.lockstep', '/tmp'), '/srv/app/.lockstep/socket');
  const long = `/${'x'.repeat(90)}`;
  assert.match(socketDirectory(long, '/var/tmp'), /^\/var\/tmp\/lockstep-[0-9a-f]{16}$/);
  assert.match(socketDirectory(long, long), /^\/tmp\/lockstep-[0-9a-f]{16}$/);
  assert.notEqual(socketDirectory(long, '/tmp'), socketDirectory(`${long}y`, '/tmp'));
});

test('[SPEC 1] settings: durable; the memory bounds the buffers; overrides win; quotes are safe', () => {
  const text = serverSettings(2 ** 34, 'name', { jit: "it's on" });
  assert.match(text, /^fsync = 'on'$/m);
  assert.match(text, /^synchronous_commit = 'on'$/m);
  assert.match(text, /^wal_level = 'logical'$/m);
  assert.match(text, /^jit = 'it''s on'$/m);
  assert.match(text, /^shared_buffers = '1024MB'$/m);
  assert.match(serverSettings(2 ** 32, 'name', {}), /^shared_buffers = '512MB'$/m);
  assert.match(serverSettings(2 ** 27, 'name', {}), /^shared_buffers = '64MB'$/m);
});
