import type { Table, Target } from './findings.ts';
import type { StoredPart } from './stored.ts';

export interface Report {
  /** In the order they are shown. */
  readonly parts: readonly StoredPart[];
  /** What a person found out from the profiles; Markdown. */
  readonly notes: string;
}

/** What differs from part to part: they need not be measured at once. */
const OF_EACH_PART = ['date', 'commit'];

/** `RESULTS.md`. */
export function markdown({ parts, notes }: Report): string {
  const targets = parts.flatMap(({ findings }) => findings.targets);
  const machine = (parts.at(-1)?.machine ?? []).filter(([name]) => !OF_EACH_PART.includes(name));
  const sections = [
    '# Results',
    'Written by `npm run bench`; do not edit. How it is measured, and what is fair about it: [README.md](README.md).',
    tableText({ columns: ['', ''], rows: machine }),
    '## Targets',
    tableText({ columns: ['', 'wanted', 'found', ''], rows: targets.map(targetRow) }),
    ...parts.flatMap((part) => [`## ${part.title}`, measuredAt(part), ...part.findings.tables.map(section)]),
    notes.trim(),
  ];
  return `${sections.join('\n\n')}\n`;
}

function measuredAt({ name, machine }: StoredPart): string {
  const [date, commit] = OF_EACH_PART.map((wanted) => machine.find(([key]) => key === wanted)?.[1]);
  return `Part \`${name}\`, ${date}, commit ${commit}.`;
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
