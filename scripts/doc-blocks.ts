/**
 * Code blocks of the documents that are run as tests: those whose fence says `run`.
 *
 *     ```sh run
 *     curl -s http://localhost:8080/healthz
 *     #=> {"status":"ok"…}
 *     ```
 *
 * A `#=>` line tells a line the command before it must print; `…` stands for anything.
 */
export interface DocBlock {
  readonly language: 'sh' | 'ts';
  /** Of the block's first line, counted from 1. */
  readonly line: number;
  readonly steps: readonly DocStep[];
}

export interface DocStep {
  readonly code: string;
  readonly expected: readonly string[];
}

const FENCE = /^```(sh|ts) run\n(.*?)^```$/gms;

/** The blocks of a document that are run, in order. */
export function docBlocks(markdown: string): DocBlock[] {
  return [...markdown.matchAll(FENCE)].map((match) => ({
    language: match[1] as DocBlock['language'],
    line: markdown.slice(0, match.index).split('\n').length + 1,
    steps: steps(match[2]!.trimEnd().split('\n')),
  }));
}

/** What is wrong with a step's output, or undefined. */
export function mismatch(output: string, expected: readonly string[]): string | undefined {
  const missing = expected.filter((line) => !output.split('\n').some((printed) => pattern(line).test(printed.trim())));
  if (missing.length === 0) return undefined;
  return `expected to be printed:\n${missing.join('\n')}\nprinted:\n${output}`;
}

/** A block of a tutorial: what to run, or a file to write. */
export interface TutorialBlock {
  readonly language: string;
  /** After the language: `user`, `user start`, or the path of a file. */
  readonly info: string;
  readonly text: string;
}

/** The blocks of a tutorial whose fences say more than their language, in order. */
export function tutorialBlocks(markdown: string): TutorialBlock[] {
  return [...markdown.matchAll(/^```(\w+) (\S[^\n]*)\n(.*?)^```$/gms)].map(([, language, info, text]) => ({
    language: language!,
    info: info!,
    text: text!,
  }));
}

/** A step ends with its expectations, or with the block. */
export function steps(lines: readonly string[]): DocStep[] {
  const found: { code: string[]; expected: string[] }[] = [{ code: [], expected: [] }];
  for (const line of lines) {
    const last = found.at(-1)!;
    if (line.startsWith('#=> ')) last.expected.push(line.slice(4).trim());
    else if (last.expected.length > 0) found.push({ code: [line], expected: [] });
    else last.code.push(line);
  }
  return found.map(({ code, expected }) => ({ code: code.join('\n'), expected }));
}

function pattern(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(literal).join('.*')}$`);
}

/** The text as a pattern that matches it alone. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
