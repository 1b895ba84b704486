import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DOCS_STYLE } from './docs-page.ts';

test('the colours of /docs are those of the other pages', () => {
  const tokens = (css: string) => css.match(/--[\w-]+: light-dark\(.*\);/g) ?? [];
  const pages = new Set(tokens(readFileSync(new URL('../../web/src/design.css', import.meta.url), 'utf8')));
  const own = tokens(DOCS_STYLE);
  assert.ok(own.length > 5);
  assert.deepEqual(
    own.filter((token) => !pages.has(token)),
    [],
  );
});
