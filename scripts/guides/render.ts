import { type Block, parseBlocks } from './blocks.ts';
import { highlight } from './highlight.ts';
import { escapeHtml, plainText, type Resolve, renderInline } from './inline.ts';

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
  const renderer = new Renderer(resolve);
  const [first, ...rest] = parseBlocks(markdown);
  if (first?.type !== 'heading' || first.level !== 1) throw new Error('a guide begins with its title: "# ..."');
  const parts = rest.map((block): Part => (block.type === 'code' ? codePart(block) : { html: renderer.block(block) }));
  return { title: plainText(renderInline(first.text, resolve)), headings: renderer.headings, parts: joined(parts) };
}

/** Neighbouring HTML is one part. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if ('html' in part && last && 'html' in last) result[result.length - 1] = { html: `${last.html}\n${part.html}` };
    else result.push(part);
  }
  return result;
}

function codePart({ language, info, text }: Extract<Block, { type: 'code' }>): CodePart {
  // What the tests do with a block (`run`, `user start`) is not for readers; a path is.
  const file = info.includes('/') ? { file: info } : {};
  const lines = text.split('\n').filter((line) => !line.startsWith('#=>'));
  return { code: highlight(text, language), language, ...file, copied: lines.join('\n') };
}

class Renderer {
  readonly headings: Heading[] = [];
  readonly #resolve: Resolve;
  readonly #ids = new Map<string, number>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  block(block: Block): string {
    switch (block.type) {
      case 'heading':
        return this.#heading(block.level, this.#inline(block.text));
      case 'paragraph':
        return `<p>${this.#inline(block.text)}</p>`;
      case 'code':
        return `<pre tabindex="0"><code>${highlight(block.text, block.language)}</code></pre>`;
      case 'list':
        return this.#list(block.start, block.items);
      case 'table':
        return this.#table(block.head, block.rows);
    }
  }

  #inline(text: string): string {
    return renderInline(text, this.#resolve);
  }

  #heading(level: number, html: string): string {
    const text = plainText(html);
    const id = this.#id(text);
    this.headings.push({ id, level, text });
    return `<h${level} id="${id}">${html}</h${level}>`;
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

  #list(start: number | undefined, items: readonly (readonly Block[])[]): string {
    const rendered = items.map((blocks) => `<li>${this.#item(blocks)}</li>`).join('\n');
    if (start === undefined) return `<ul>\n${rendered}\n</ul>`;
    return `<ol${start === 1 ? '' : ` start="${start}"`}>\n${rendered}\n</ol>`;
  }

  /** An item's first paragraph stands beside its mark. */
  #item(blocks: readonly Block[]): string {
    const [first, ...rest] = blocks;
    const begin = first?.type === 'paragraph' ? this.#inline(first.text) : first ? this.block(first) : '';
    return [begin, ...rest.map((block) => this.block(block))].join('\n');
  }

  #table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const cell = (tag: string) => (text: string) => `<${tag}>${this.#inline(text)}</${tag}>`;
    const row = (tag: string, cells: readonly string[]) => `<tr>${cells.map(cell(tag)).join('')}</tr>`;
    // A table of names and what they mean has an empty head.
    const named = head.some((text) => text !== '') ? `<thead>${row('th', head)}</thead>` : '';
    const label = escapeHtml(head.filter(Boolean).join(', ') || 'Table');
    const body = rows.map((cells) => row('td', cells)).join('\n');
    return `<div class="table-scroll" role="group" tabindex="0" aria-label="${label}"><table class="listing">${named}<tbody>\n${body}\n</tbody></table></div>`;
  }
}
