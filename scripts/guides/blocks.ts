/** What a Markdown document is made of: as much of CommonMark and GitHub's tables as the project's documents use. */
export type Block =
  | { readonly type: 'heading'; readonly level: number; readonly text: string }
  | { readonly type: 'paragraph'; readonly text: string }
  | { readonly type: 'code'; readonly language: string; readonly info: string; readonly text: string }
  | { readonly type: 'list'; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | { readonly type: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

const HEADING = /^(#{1,6}) +(.*)$/;
const FENCE = /^```(\S*) ?(.*)$/;
const ITEM = /^(?:[-*]|(\d{1,9})\.) +(?=\S)/;
const INDENTED = /^ {4}/;
const RULE_OF_TABLE = /^\|(?: *:?-+:? *\|)+$/;

/** The blocks of a document, or of a list's item. */
export function parseBlocks(markdown: string): readonly Block[] {
  const lines = new Lines(markdown.split('\n'));
  const blocks: Block[] = [];
  while (!lines.ended) {
    if (lines.line.trim() === '') lines.next();
    else blocks.push(parseBlock(lines));
  }
  return blocks;
}

class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get ended(): boolean {
    return this.#at >= this.#lines.length;
  }

  get line(): string {
    return this.#lines[this.#at]!;
  }

  get following(): string {
    return this.#lines[this.#at + 1] ?? '';
  }

  next(): string {
    return this.#lines[this.#at++]!;
  }

  takeWhile(wanted: (line: string) => boolean): string[] {
    const taken: string[] = [];
    while (!this.ended && wanted(this.line)) taken.push(this.next());
    return taken;
  }
}

function parseBlock(lines: Lines): Block {
  const heading = HEADING.exec(lines.line);
  if (heading) {
    lines.next();
    return { type: 'heading', level: heading[1]!.length, text: heading[2]! };
  }
  if (FENCE.test(lines.line)) return parseFenced(lines);
  if (INDENTED.test(lines.line)) return parseIndented(lines);
  if (ITEM.test(lines.line)) return parseList(lines);
  if (lines.line.startsWith('|') && RULE_OF_TABLE.test(lines.following)) return parseTable(lines);
  const first = lines.next();
  return { type: 'paragraph', text: [first, ...lines.takeWhile(goesOn)].map((line) => line.trim()).join('\n') };
}

/** Whether a line belongs to the paragraph before it. */
function goesOn(line: string): boolean {
  return line.trim() !== '' && ![HEADING, FENCE, ITEM].some((pattern) => pattern.test(line));
}

function parseFenced(lines: Lines): Block {
  const [, language, info] = FENCE.exec(lines.next())!;
  const text = lines.takeWhile((line) => line !== '```').join('\n');
  if (!lines.ended) lines.next();
  return { type: 'code', language: language!, info: info!, text };
}

function parseIndented(lines: Lines): Block {
  const taken = lines.takeWhile((line) => INDENTED.test(line) || line.trim() === '');
  return {
    type: 'code',
    language: '',
    info: '',
    text: taken
      .map((line) => line.slice(4))
      .join('\n')
      .trimEnd(),
  };
}

function parseList(lines: Lines): Block {
  const number = ITEM.exec(lines.line)![1];
  const items: (readonly Block[])[] = [];
  while (!lines.ended && isSibling(lines.line, number)) items.push(parseItem(lines));
  return { type: 'list', start: number === undefined ? undefined : Number(number), items };
}

function isSibling(line: string, number: string | undefined): boolean {
  const item = ITEM.exec(line);
  return item !== null && (item[1] === undefined) === (number === undefined);
}

function parseItem(lines: Lines): readonly Block[] {
  const indent = ITEM.exec(lines.line)![0].length;
  const own = [lines.next().slice(indent)];
  while (!lines.ended) {
    const { line } = lines;
    const blank = line.trim() === '';
    const inside = line.startsWith(' '.repeat(indent));
    // A line that is not indented goes on with the paragraph that it follows, but begins nothing.
    const lazy = own.at(-1)!.trim() !== '' && goesOn(line);
    if (!blank && !inside && !lazy) break;
    own.push(inside ? line.slice(indent) : line.trimStart());
    lines.next();
  }
  return parseBlocks(own.join('\n'));
}

function parseTable(lines: Lines): Block {
  const head = cells(lines.next());
  lines.next();
  return { type: 'table', head, rows: lines.takeWhile((line) => line.startsWith('|')).map(cells) };
}

/** Of a row; `\|` is no border. */
function cells(row: string): string[] {
  const inner = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}
