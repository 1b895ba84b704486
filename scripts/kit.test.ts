import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as kit from '../src/index.ts';

test('docs/kit.md names everything that services can import', () => {
  const text = readFileSync(new URL('../docs/kit.md', import.meta.url), 'utf8');
  const named = new Set([...text.matchAll(/`[^`]*`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []));
  assert.deepEqual(
    Object.keys(kit).filter((name) => !named.has(name)),
    [],
  );
});
