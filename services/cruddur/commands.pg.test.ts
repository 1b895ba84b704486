import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDatabase } from '../../src/testing/database.ts';
import { testStoreEnv } from '../../src/testing/store.ts';

const command = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));

const NONE = '00000000-0000-7000-8000-000000000000';
const EMPTY = '00000000-0000-7000-8000-000000000001';

test('lockstep cruddur sets up, seeds, lists and drops', async (t) => {
  const { url, record } = await testDatabase(t);
  const dataDir = mkdtempSync(join(tmpdir(), 'lockstep-cruddur-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const store = await testStoreEnv();
  const lockstep = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, DATABASE_URL: url, LOCKSTEP_DATA: dataDir, ...store };
      const child = execFile(process.execPath, [command, 'cruddur', ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  const json = async (...args: string[]) => JSON.parse((await lockstep('--json', ...args)).stdout);

  const first = await json('setup', '--yes');
  assert.deepEqual(
    first.map(({ handle, password }: { handle: string; password: string | null }) => [handle, typeof password]),
    [
      ['andrew', 'string'],
      ['bayko', 'string'],
    ],
  );
  const texts = async () => {
    const [{ uuid }] = await json('conversations', '@Andrew');
    return (await json('conversation', uuid, '--limit', '1000')).map((row: { message: string }) => row.message);
  };
  const before = await texts();
  assert.equal(before.length, 200);
  const [posts] = await record.query(
    `select count(*) as posts, min(expires_at) > now() + interval '9 days' as last from cruddur.activities`,
  );
  assert.deepEqual(posts, { posts: 20, last: true });

  const [{ uuid }] = await json('conversations', 'bayko');
  const { stdout } = await lockstep('conversation', uuid, '--limit', '2');
  assert.match(stdout, /^((andrew|bayko) {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}.+\n){2}$/);
  for (const [args, said] of [
    [['conversation', NONE], /there is no conversation 0/],
    [['conversations', '@nobody'], /there is no user @nobody/],
  ] as const) {
    const unknown = await lockstep(...args);
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, said);
  }
  const [andrew] = await json('users');
  assert.ok(andrew.sub && andrew.uuid && andrew.handle === 'andrew');
  assert.deepEqual(
    (await json('tables')).map(({ name }: { name: string }) => name),
    ['activities', 'likes', 'mentions', 'message_group_members', 'message_groups', 'messages', 'reposts', 'users'],
  );
  await record.query('analyze cruddur.messages');
  assert.match((await lockstep('tables')).stdout, /^messages +about 200 rows$/m);
  assert.match((await lockstep('tables')).stdout, /^users +2 rows$/m, 'never analysed: counted');
  await record.query(
    'insert into cruddur.message_groups (uuid, first_user_id, second_user_id) select $1, min(user_id), min(user_id) from cruddur.users',
    [EMPTY],
  );
  assert.match((await lockstep('conversation', EMPTY)).stdout, /nothing is in it/);
  assert.equal((await json('scan', 'activities', '--limit', '3')).length, 3);

  const unasked = await lockstep('drop', 'likes');
  assert.equal(unasked.code, 1);
  assert.match(unasked.stderr, /--yes/);
  assert.equal((await lockstep('drop', 'likes; drop table users', '--yes')).code, 1);
  assert.equal((await lockstep('drop', 'likes', '--yes')).code, 0);
  assert.equal((await lockstep('scan', 'likes')).code, 1);

  const again = await json('setup', '--yes');
  assert.deepEqual(
    again.map(({ password }: { password: string | null }) => password),
    [null, null],
    'the accounts are there already',
  );
  assert.equal((await json('users'))[0].sub, andrew.sub, 'and belong to the same users');
  assert.deepEqual(await texts(), before, 'the same texts every time');
});
