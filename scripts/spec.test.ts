import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const spec = readFileSync(join(root, 'SPEC.md'), 'utf8');
const testSources = globSync('{src,services,scripts,bench}/**/*.test.ts', { cwd: root }).map((file) =>
  readFileSync(join(root, file), 'utf8'),
);

function sourceOf(file: string): string {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Numbers of the guarantees: `## 3. Exactly once`. */
const guarantees = [...spec.matchAll(/^## (\d+)\. /gm)].map((match) => Number(match[1]));

/** Titles that cite `[SPEC n]`, also `[SPEC 3, 5]` and `[SPEC 3] [SPEC 5]`. */
function citations(): Set<number> {
  const cited = testSources.flatMap((source) => [...source.matchAll(/\[SPEC ([\d., ]+)\]/g)].map((match) => match[1]!));
  return new Set(cited.flatMap((list) => list.split(',').map((number) => Number.parseInt(number, 10))));
}

test('SPEC.md numbers the nine guarantees', () => {
  assert.deepEqual(guarantees, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('every file SPEC.md names exists', () => {
  const named = [...spec.matchAll(/`((?:src|services|scripts|web|bench|docs|bin)\/[\w./-]+\.\w+)`/g)].map(
    (match) => match[1]!,
  );
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((file) => !existsSync(join(root, file))),
    [],
  );
});

test('every invariant in SPEC.md names what enforces it and what proves it', () => {
  const rows = [...spec.matchAll(/^\| (\d+\.\d+) \|(.+)\|$/gm)];
  const incomplete = rows.filter(([, , cells]) => cells!.split('|').some((cell) => cell.trim() === ''));
  assert.ok(rows.length >= guarantees.length);
  assert.deepEqual(
    incomplete.map((row) => row[1]),
    [],
  );
});

test('what proves an invariant cites its guarantee', () => {
  const silent = [...spec.matchAll(/^\| (\d+)\.(\d+) \|.*\|([^|]+)\|$/gm)].flatMap(([, guarantee, number, proofs]) =>
    [...proofs!.matchAll(/`([^`]+)`/g)]
      .map((match) => match[1]!)
      .filter((file) => !new RegExp(`\\[SPEC [\\d., ]*\\b${guarantee}\\b`).test(sourceOf(file)))
      .map((file) => `${guarantee}.${number}: ${file}`),
  );
  assert.deepEqual(silent, []);
});

test('every guarantee is cited by a test, and no test cites one that is none', () => {
  const cited = citations();
  assert.deepEqual(
    guarantees.filter((number) => !cited.has(number)),
    [],
  );
  assert.deepEqual(
    [...cited].filter((number) => !guarantees.includes(number)),
    [],
  );
});
