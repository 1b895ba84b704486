import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
/** `7. **A view is ...`, to the next one: its number and the files it names. */
const rules = read('docs/correctness.md')
  .split(/^(?=\d+\. \*\*)/m)
  .slice(1)
  .map((text) => ({
    number: Number.parseInt(text, 10),
    files: [...text.matchAll(/`((?:src|services)\/[\w./-]+\.ts)`/g)].map((match) => match[1]!),
  }));
const cites = (file: string, rule: number) => new RegExp(`\\[rule ${rule}\\]`).test(read(file));

test('every file that docs/correctness.md names exists', () => {
  assert.ok(rules.length >= 16);
  assert.deepEqual(
    rules.flatMap(({ files }) => files.filter((file) => !existsSync(join(root, file)))),
    [],
  );
});

test('every rule names a test, and each test it names cites the rule in a title', () => {
  const isTest = (file: string) => /(\.test|\bcontract)\.ts$/.test(file);
  for (const { number, files } of rules) {
    const tests = files.filter(isTest);
    assert.ok(tests.length > 0, `rule ${number} names no test`);
    for (const file of tests) assert.ok(cites(file, number), `${file} does not cite rule ${number}`);
  }
});

test('no test cites a rule that is none', () => {
  const known = new Set(rules.map(({ number }) => number));
  for (const file of globSync('{src,services}/**/*.ts', { cwd: root })) {
    for (const [, number] of read(file).matchAll(/\[rule (\d+)\]/g)) {
      assert.ok(known.has(Number(number)), `${file} cites rule ${number}`);
    }
  }
});
