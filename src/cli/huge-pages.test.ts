import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const bin = new URL('../../bin/', import.meta.url);

/** Prints what it was started with; run as `bin/lockstep.js` runs the command line. */
const SCRIPT = `
  const { pid, ppid, argv, execArgv, env } = process;
  console.log(JSON.stringify({ pid, ppid, args: argv.slice(2), execArgv, tunables: env.GLIBC_TUNABLES ?? null }));`;
const LAUNCHER = `
  import { hugePages } from '${new URL('huge-pages.js', bin)}';
  import { runOnNode24 } from '${new URL('node24.js', bin)}';
  await runOnNode24(process.argv[2], process.argv.slice(3), hugePages());`;

test('the process that holds the views asks for huge pages, unless told otherwise', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-huge-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [script, launcher] = [join(folder, 'script.mjs'), join(folder, 'launcher.mjs')];
  writeFileSync(script, SCRIPT);
  writeFileSync(launcher, LAUNCHER);
  const run = async (tunables: string | undefined) => {
    const { GLIBC_TUNABLES: _, ...env } = process.env;
    const running = promisify(execFile)(process.execPath, ['--no-deprecation', launcher, script, 'a', 'b c'], {
      env: { ...env, ...(tunables !== undefined && { GLIBC_TUNABLES: tunables }) },
    });
    const { stdout, stderr } = await running;
    assert.equal(stderr, '', 'no warning');
    return { ...JSON.parse(stdout), spawned: running.child.pid };
  };

  const asked = await run(undefined);
  assert.equal(asked.tunables, process.platform === 'linux' ? 'glibc.malloc.hugetlb=1' : null);
  assert.deepEqual(asked.args, ['a', 'b c']);
  assert.deepEqual(asked.execArgv, ['--no-deprecation']);
  assert.deepEqual(
    [asked.pid, asked.ppid],
    [asked.spawned, process.pid],
    'the process that was started, not a child of it',
  );

  assert.equal((await run('glibc.malloc.hugetlb=0')).tunables, 'glibc.malloc.hugetlb=0');
  assert.equal((await run('')).tunables, '');
});
