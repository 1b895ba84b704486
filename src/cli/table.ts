import { stripVTControlCharacters, styleText } from 'node:util';

export interface Column<Row> {
  readonly heading: string;
  readonly of: (row: Row) => string;
  /** `left` unless told. Numbers read best on the right. */
  readonly align?: 'left' | 'right';
}

/** Rows as aligned columns under dim headings, two spaces between them. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map((column) => styleText('dim', column.heading)),
    ...rows.map((row) => columns.map((column) => column.of(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => width(cells[index]!))));
  return lines
    .map((cells) =>
      cells
        .map((cell, index) => pad(cell, widths[index]!, columns[index]!.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values, one a line, the names dim and of one width. */
export function facts(entries: readonly (readonly [name: string, value: string])[]): string {
  const longest = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${styleText('dim', name.padEnd(longest))}  ${value}`).join('\n');
}

/** Columns on a terminal, styling left out. */
function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

function pad(cell: string, to: number, align: Column<unknown>['align']): string {
  const blank = ' '.repeat(Math.max(0, to - width(cell)));
  return align === 'right' ? blank + cell : cell + blank;
}
