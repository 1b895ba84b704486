import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GUIDES, readGuide } from './guides.ts';
import { plainText } from './html.ts';
import type { Part } from './render.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const htmlOf = (part: Part) => ('html' in part ? part.html : `<pre><code>${part.code}</code></pre>`);
const pages = GUIDES.map((source) => {
  const guide = readGuide(source);
  return { ...source, ...guide, html: guide.parts.map(htmlOf).join('\n') };
});

test('everything written in docs/ and of the services is a guide', () => {
  const written = globSync('{docs/*.md,services/*/README.md}', { cwd: root }).sort();
  const shown = GUIDES.map(({ file }) => file);
  assert.deepEqual(
    written.filter((file) => !shown.includes(file)),
    [],
  );
  for (const file of shown) assert.ok(existsSync(join(root, file)), file);
});

test('no mark of Markdown is left on a page, and every tag is closed', () => {
  for (const { name, html } of pages) {
    const prose = plainText(html.replaceAll(/<pre.*?<\/pre>/gs, '').replaceAll(/<code>.*?<\/code>/gs, ''));
    assert.doesNotMatch(prose, /\*\*|`|\]\(|^\s*\||^#{1,6} |^> |^---$|^\s*[-*] /m, name);
    const open: string[] = [];
    for (const [, end, tag] of html.matchAll(/<(\/?)(?!wbr)([a-z0-9]+)[^>]*>/g)) {
      if (end) assert.equal(open.pop(), tag, name);
      else open.push(tag!);
    }
    assert.deepEqual(open, [], name);
  }
});

test('no word of a document is missing on its page', () => {
  const words = (text: string) => text.match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  for (const { name, file, title, html } of pages) {
    const source = readFileSync(join(root, file), 'utf8')
      .replaceAll(/^(?:```.*|\d+\. )/gm, '')
      .replaceAll(/\]\([^)]*\)/g, ']');
    const text = plainText(html.replaceAll(/<\/t[dh]>/g, ' '));
    assert.deepEqual(words(`${title} ${text}`), words(source), name);
  }
});

test('links lead to pages and to headings that are there', () => {
  const headings = new Map(pages.map(({ name, headings }) => [name, new Set(headings.map(({ id }) => id))]));
  for (const { name, html } of pages) {
    for (const [, href] of html.matchAll(/<a href="([^"]*)"/g)) {
      const [, page = name, id] = /^(?:\/guides\/([a-z-]+)\/)?(?:#(.*))?$/.exec(href!) ?? [];
      if (/^(https?:|\/(?!guides\/))/.test(href!)) continue;
      assert.ok(headings.has(page), `${name}: ${href}`);
      if (id) assert.ok(headings.get(page)!.has(id), `${name}: ${href}`);
    }
  }
});
