import type { Findings, Table, Target } from './findings.ts';

export interface Report {
  readonly machine: readonly (readonly [name: string, value: string])[];
  readonly parts: readonly { readonly title: string; readonly findings: Findings }[];
  /** What a person found out from the profiles; Markdown. */
  readonly notes: string;
}

/** `RESULTS.md`. */
export function markdown({ machine, parts, notes }: Report): string {
  const targets = parts.flatMap(({ findings }) => findings.targets);
  const sections = [
    '# Results',
    'Written by `npm run bench`; do not edit. How it is measured, and what is fair about it: [README.md](README.md).',
    tableText({ columns: ['', ''], rows: machine }),
    '## Targets',
    tableText({ columns: ['', 'wanted', 'found', ''], rows: targets.map(targetRow) }),
    ...parts.flatMap(({ title, findings }) => [`## ${title}`, ...findings.tables.map(section)]),
    notes.trim(),
  ];
  return `${sections.join('\n\n')}\n`;
}

function targetRow({ what, wanted, found, reached }: Target): string[] {
  return [what, wanted, found, reached ? 'reached' : '**not reached**'];
}

function section(table: Table): string {
  return [`### ${table.title}`, tableText(table), ...(table.note ? [table.note] : [])].join('\n\n');
}

function tableText({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = line(columns.map((_, i) => (i === 0 ? '---' : '---:')));
  return [line(columns), rule, ...rows.map(line)].join('\n');
}
