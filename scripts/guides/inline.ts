/** Where a link or a picture leads on the pages; undefined where the pages have nothing there. */
export type Resolve = (target: string) => string | undefined;

/** Code spans come first: nothing in them means anything. What has no closing mark is text. */
const INLINE = new RegExp(
  [
    /(?<ticks>`+)(?<code>.+?)(?<!`)\k<ticks>(?!`)/,
    /\[(?<text>(?:`[^`]*`|[^\][`])+)\]\((?<target>[^\s()]+)\)/,
    /<(?<url>https?:[^\s<>]+)>/,
    /\*\*(?=\S)(?<strong>(?:`[^`]*`|[^*`]|\*(?!\*))+?)(?<=\S)\*\*/,
    /\*(?=[^\s*])(?<em>(?:`[^`]*`|[^*`])+?)(?<=\S)\*/,
    /\\(?<escaped>[!-/:-@[-`{-~])/,
  ]
    .map((pattern) => pattern.source)
    .join('|'),
  'gs',
);

/** What stands within a paragraph, a heading or a cell, as HTML. */
export function renderInline(text: string, resolve: Resolve): string {
  let html = '';
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    html += escapeHtml(text.slice(end, match.index)) + renderMatch(match.groups!, resolve);
    end = match.index + match[0].length;
  }
  return html + escapeHtml(text.slice(end));
}

function renderMatch(found: Readonly<Record<string, string | undefined>>, resolve: Resolve): string {
  const { code, text, target, url, strong, em, escaped } = found;
  if (code !== undefined) return renderCode(code.replaceAll('\n', ' ').replace(/^ (.*) $/, '$1'));
  if (target !== undefined) return link(renderInline(text!, resolve), resolve(target));
  if (url !== undefined) return link(escapeHtml(url), url);
  if (strong !== undefined) return `<strong>${renderInline(strong, resolve)}</strong>`;
  if (em !== undefined) return `<em>${renderInline(em, resolve)}</em>`;
  return escapeHtml(escaped!);
}

/** A long path may be broken after each of its folders. */
function renderCode(code: string): string {
  return `<code>${escapeHtml(code).replaceAll(/(?<=\w)\/(?=\w)/g, '/<wbr>')}</code>`;
}

function link(html: string, href: string | undefined): string {
  return href === undefined ? html : `<a href="${escapeHtml(href)}">${html}</a>`;
}

/** The text of it, without marks: for names of headings. */
export function plainText(html: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };
  return html.replaceAll(/<[^>]*>/g, '').replaceAll(/&(lt|gt|quot|amp);/g, (_, name: string) => entities[name]!);
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
