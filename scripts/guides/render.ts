import { Lexer, Parser, Renderer, type Token, type Tokens } from 'marked';
import { highlight } from './highlight.ts';
import { escapeHtml, plainText } from './html.ts';

/** Where a link leads on the pages; undefined where the pages have nothing there. */
export type Resolve = (target: string) => string | undefined;

export interface Heading {
  readonly id: string;
  readonly level: number;
  readonly text: string;
}

/** A piece of a page: HTML, or a block of code that can be copied. */
export type Part = { readonly html: string } | CodePart;

export interface CodePart {
  readonly code: string;
  readonly language: string;
  /** The file that it is. */
  readonly file?: string;
  /** What one copies: without what is printed. */
  readonly copied: string;
}

export interface Guide {
  readonly title: string;
  /** Of what is below the title. */
  readonly headings: readonly Heading[];
  readonly parts: readonly Part[];
}

/** A document as a page of the web application shows it. */
export function renderGuide(markdown: string, resolve: Resolve): Guide {
  const renderer = new GuideRenderer(resolve);
  const parser = new Parser({ renderer });
  const [title, ...rest] = Lexer.lex(markdown);
  if (title?.type !== 'heading' || title.depth !== 1) throw new Error('a guide begins with its title: "# ..."');
  const parts = rest.map((token): Part => (isCode(token) ? codePart(token) : { html: parser.parse([token]).trim() }));
  const { headings } = renderer;
  return { title: plainText(parser.parseInline(title.tokens ?? [])).trim(), headings, parts: joined(parts) };
}

function isCode(token: Token): token is Tokens.Code {
  return token.type === 'code';
}

/** Neighbouring HTML is one part. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if ('code' in part) result.push(part);
    else if (last && 'html' in last) result[result.length - 1] = { html: `${last.html}\n${part.html}`.trim() };
    else if (part.html !== '') result.push(part);
  }
  return result;
}

function codePart({ lang = '', text }: Tokens.Code): CodePart {
  const [language = '', info = ''] = lang.split(/ (.*)/);
  // What the tests do with a block (`run`, `user start`) is not for readers; a path is.
  const file = info.includes('/') ? { file: info } : {};
  const lines = text.split('\n').filter((line) => !line.startsWith('#=>'));
  return { code: highlight(text, language), language, ...file, copied: lines.join('\n') };
}

/** Where it differs from Markdown's own: names of headings, links between documents, tables that scroll, no HTML. */
class GuideRenderer extends Renderer {
  readonly headings: Heading[] = [];
  readonly #resolve: Resolve;
  readonly #ids = new Map<string, number>();

  constructor(resolve: Resolve) {
    super();
    this.#resolve = resolve;
  }

  override heading({ tokens, depth: level }: Tokens.Heading): string {
    const html = this.parser.parseInline(tokens);
    const text = plainText(html);
    const id = this.#id(text);
    this.headings.push({ id, level, text });
    return `<h${level} id="${id}">${html}</h${level}>\n`;
  }

  override link({ href, tokens }: Tokens.Link): string {
    const html = this.parser.parseInline(tokens);
    const target = this.#resolve(href);
    return target === undefined ? html : `<a href="${escapeHtml(target)}">${html}</a>`;
  }

  override code({ text, lang = '' }: Tokens.Code): string {
    return `<pre tabindex="0"><code>${highlight(text, lang)}</code></pre>\n`;
  }

  /** A long path may be broken after each of its folders. */
  override codespan({ text }: Tokens.Codespan): string {
    return `<code>${escapeHtml(text).replaceAll(/(?<=\w)\/(?=\w)/g, '/<wbr>')}</code>`;
  }

  override table({ header, rows }: Tokens.Table): string {
    const { parser } = this;
    // A table of names and what they mean has an empty head.
    const named = header.some(({ text }) => text !== '') ? `<thead>${rowOf('th', header, parser)}</thead>` : '';
    const names = header.map(({ tokens }) => plainText(parser.parseInline(tokens))).filter(Boolean);
    const label = escapeHtml(names.join(', ') || 'Table');
    const body = rows.map((row) => rowOf('td', row, parser)).join('\n');
    return `<div class="table-scroll" role="group" tabindex="0" aria-label="${label}"><table class="listing">${named}<tbody>\n${body}\n</tbody></table></div>\n`;
  }

  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    return escapeHtml(text);
  }

  override image({ text }: Tokens.Image): string {
    return escapeHtml(text);
  }

  override checkbox({ checked }: Tokens.Checkbox): string {
    return checked ? '[x] ' : '[ ] ';
  }

  /** As GitHub names headings, so that links within a document lead to the same place on both. */
  #id(text: string): string {
    const id = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const before = this.#ids.get(id) ?? 0;
    this.#ids.set(id, before + 1);
    return before === 0 ? id : `${id}-${before}`;
  }
}

function rowOf(tag: string, cells: readonly Tokens.TableCell[], parser: Parser): string {
  return `<tr>${cells.map(({ tokens }) => `<${tag}>${parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
}
