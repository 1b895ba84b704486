import { escapeHtml } from './html.ts';

const SLASHES = String.raw`\/\*[^]*?\*\/|\/\/[^\n]*`;
const STRINGS = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;

/** Comments and strings, by language; what is in neither stays as it is. */
const LANGUAGES: Readonly<Record<string, RegExp>> = {
  ts: new RegExp(`(?<comment>${SLASHES})|(?<string>${STRINGS}|\`(?:\\\\.|[^\`\\\\])*\`)`, 'g'),
  sql: /(?<comment>--[^\n]*)|(?<string>'(?:''|[^'])*')/g,
  sh: /(?<comment>(?<=^|\s)#[^\n]*)|(?<string>'[^']*')/gm,
};

/** A block of code as HTML, its comments and strings told apart. */
export function highlight(code: string, language: string): string {
  const pattern = LANGUAGES[language];
  if (!pattern) return escapeHtml(code);
  let html = '';
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    const kind = match.groups!.comment === undefined ? 'string' : 'comment';
    html += `${escapeHtml(code.slice(end, match.index))}<span class="${kind}">${escapeHtml(match[0])}</span>`;
    end = match.index + match[0].length;
  }
  return html + escapeHtml(code.slice(end));
}
