import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const HEAP = new URL('heap.ts', import.meta.url).href;
const MAIN = new URL('main.ts', import.meta.url).href;
/** As a start does: makes much with one expression, and keeps it, in code that is not optimised yet. */
const KEEPS = `
  const make = (i) => ({ number: i, list: [i] });
  const kept = [];
  for (let i = 0; i < 2_000_000; i++) kept.push(make(i));`;

/** How often V8 decided to make objects in the old generation. */
async function decisions(code: string): Promise<number> {
  const args = ['--trace-pretenuring-statistics', '--no-opt', '--no-maglev', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return stdout.split('=> tenure').length - 1;
}

test('objects are made young, whatever the start was like', async () => {
  assert.ok((await decisions(KEEPS)) > 0, 'V8 does so by itself');
  assert.equal(await decisions(`await import('${HEAP}'); ${KEEPS}`), 0);
  assert.equal(await decisions(`process.argv[2] = '--version'; await import('${MAIN}'); ${KEEPS}`), 0);
});
