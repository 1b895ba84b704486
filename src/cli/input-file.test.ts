import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { inputFile } from './input-file.ts';

test('a file is read with its size; a folder and what is not there are errors that say what to give', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'input-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'heroes.csv');
  writeFileSync(file, '1,a,b,c,1,d\n');
  const { chunks, size } = await inputFile(file);
  assert.deepEqual([await text(chunks), size], ['1,a,b,c,1,d\n', 12]);
  const isFolder = `cannot read ${folder}: it is a folder; give the path of a file, or "-" for standard input`;
  await assert.rejects(inputFile(folder), { message: isFolder });
  await assert.rejects(inputFile(join(folder, 'none')), { message: /none: give the path of a readable file$/ });
});
