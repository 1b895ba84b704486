import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory, lockHolder } from './directory-lock.ts';

test('one holder at a time, by whatever path; free again after release and after kill -9', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'lockstep-lock-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'data');
  const lock = await lockDirectory(directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(await lockHolder(directory), process.pid);
  const link = join(parent, 'link');
  symlinkSync(directory, link);
  await assert.rejects(
    lockDirectory(link),
    new RegExp(`${directory} is in use by another Lockstep \\(process ${process.pid}\\)`),
  );
  await lock.release();
  assert.equal(await lockHolder(directory), undefined);

  const script = `import { lockDirectory } from ${JSON.stringify(new URL('./directory-lock.ts', import.meta.url).href)};
    await lockDirectory(${JSON.stringify(directory)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  assert.equal(await lockHolder(directory), holder.pid);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await lockDirectory(directory)).release();
});
