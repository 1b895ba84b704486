import { styleText } from 'node:util';
import type { Findings, Table, Target } from './findings.ts';

/** A part's findings for the terminal. */
export function terminalText({ tables, targets }: Findings): string {
  const blocks = tables.map(tableText);
  if (targets.length > 0) blocks.push(targets.map(targetText).join('\n'));
  return blocks.join('\n\n');
}

function tableText({ title, columns, rows, note }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  const lines = [styleText('bold', title), styleText('dim', line(columns)), ...rows.map(line)];
  if (note) lines.push(styleText('dim', note));
  return lines.map((each) => `  ${each}`.trimEnd()).join('\n');
}

function targetText({ what, wanted, found, reached }: Target): string {
  const mark = reached ? styleText('green', 'reached    ') : styleText('red', 'not reached');
  return `  ${mark}  ${what}: ${found} (${wanted})`;
}
