import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { highlight } from './highlight.ts';
import { plainText } from './html.ts';
import { renderGuide } from './render.ts';

const render = (markdown: string) => renderGuide(`# T\n\n${markdown}`, (target) => target);
const html = (markdown: string) => {
  const [part] = render(markdown).parts;
  return part && 'html' in part ? part.html : '';
};
const inline = (text: string) => html(text).replace(/^<p>(.*)<\/p>$/s, '$1');

test('text', () => {
  assert.equal(inline('a *b* **c `*d*`** 2 * 3 * 4'), 'a <em>b</em> <strong>c <code>*d*</code></strong> 2 * 3 * 4');
  assert.equal(inline('`a<b` ``a`b`` \\*'), '<code>a&lt;b</code> <code>a`b</code> *');
  assert.equal(
    inline('[`x`](y.md#z) <http://a/?b&c>'),
    '<a href="y.md#z"><code>x</code></a> <a href="http://a/?b&amp;c">http://a/?b&amp;c</a>',
  );
  const [part] = renderGuide('# T\n\n[a file](../x) <b>&amp;', () => undefined).parts;
  assert.deepEqual(part, { html: '<p>a file &lt;b&gt;&amp;</p>' }, 'no page has the file; there is no HTML');
});

test('tables: with a head and without, borders in cells', () => {
  const table = html('| a | b |\n|---|---:|\n| `x\\|y` | |');
  assert.match(table, /<thead><tr><th>a<\/th><th>b<\/th><\/tr><\/thead>/);
  assert.match(table, /<td><code>x\|y<\/code><\/td><td><\/td>/);
  assert.doesNotMatch(html('| | |\n|---|---|\n| a | b |'), /thead/);
});

test('headings are named as GitHub names them', () => {
  const { headings } = render('## A `b`: c, d-e\n\n## A `b`: c, d-e\n\n### F');
  assert.deepEqual(headings, [
    { id: 'a-b-c-d-e', level: 2, text: 'A b: c, d-e' },
    { id: 'a-b-c-d-e-1', level: 2, text: 'A b: c, d-e' },
    { id: 'f', level: 3, text: 'F' },
  ]);
});

test('a block of code is a part of its own: what is printed is not copied, a path is its name', () => {
  const { parts } = render(
    'text\n\n```sh run\ncurl x # why\n#=> {"a":1}\n```\n\n```ts services/a/service.ts\n1 < 2\n```',
  );
  assert.deepEqual(parts, [
    { html: '<p>text</p>' },
    {
      code: 'curl x <span class="comment"># why</span>\n<span class="comment">#=&gt; {&quot;a&quot;:1}</span>',
      language: 'sh',
      copied: 'curl x # why',
    },
    { code: '1 &lt; 2', language: 'ts', file: 'services/a/service.ts', copied: '1 < 2' },
  ]);
});

test('nothing in a document becomes markup, and nothing of code is lost, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'<>&"\'`*[]()|\\#- \nab1./') }), (text) => {
      for (const [, tag] of `${html(text)}${inline(text)}`.matchAll(/<\/?([a-z0-9]*)/g))
        assert.match(
          tag!,
          /^(p|a|em|strong|code|pre|h\d|ul|ol|li|div|table|thead|tbody|tr|th|td|span|wbr|del|br|hr|blockquote)$/,
        );
      for (const language of ['ts', 'sh', 'sql', 'other']) assert.equal(plainText(highlight(text, language)), text);
    }),
    { numRuns: 2000 },
  );
});
