import type { Row } from '../../record/value.ts';
import type { BitmapShape } from './bitmap.ts';
import type { BitmapQuery, ChangesQuery } from './queries.ts';

/** The bitmap in the simplest way there is: over all rows for each query. What the tests compare with. */
export function modelAnswer(shape: BitmapShape, rows: readonly Row[], query: BitmapQuery): unknown {
  const { width, height, cell, color, sequence, time } = shape;
  const greatest = (column: string, of = rows) => of.reduce((most, row) => Math.max(most, row[column] as number), 0);
  const codeOf = (row: Row | undefined) => (typeof row?.[color] === 'number' ? row[color] + 1 : 0);
  const at = (x: number, y: number) => codeOf(rows.find((row) => row[cell] === y * width + x));
  const newest = greatest(sequence);
  switch (query.ask) {
    case 'drawn':
      return rows.filter((row) => codeOf(row) > 0).length;
    case 'sequence':
      return greatest(
        sequence,
        rows.filter((row) => (row[time] as number) <= query.at),
      );
    case 'changes':
      return changesOf(shape, rows, query, codeOf);
    case 'bits': {
      const stride = Math.ceil(width / 8);
      const bits = new Uint8Array(stride * height);
      for (const row of rows.filter((each) => codeOf(each) > 0)) {
        const [x, y] = [(row[cell] as number) % width, Math.floor((row[cell] as number) / width)];
        bits[y * stride + (x >> 3)]! |= 128 >> (x & 7);
      }
      return { width, height, bits, sequence: newest, time: rows.find((row) => row[sequence] === newest)?.[time] ?? 0 };
    }
    default: {
      const area = query.ask === 'region' ? query : { x: 0, y: 0, width, height };
      const codes = Uint8Array.from({ length: area.width * area.height }, (_, i) =>
        at(area.x + (i % area.width), area.y + Math.floor(i / area.width)),
      );
      return { width: area.width, height: area.height, codes, sequence: newest };
    }
  }
}

function changesOf(
  { cell, sequence }: BitmapShape,
  rows: readonly Row[],
  { after, limit }: ChangesQuery,
  codeOf: (row: Row) => number,
): unknown {
  const number = (row: Row, column: string) => row[column] as number;
  const all = rows
    .filter((row) => number(row, sequence) > after)
    .sort((a, b) => number(a, sequence) - number(b, sequence) || number(a, cell) - number(b, cell));
  const part = all.slice(0, limit);
  return {
    cells: Uint32Array.from(part, (row) => number(row, cell)),
    codes: Uint8Array.from(part, codeOf),
    sequence: part.length > 0 ? number(part.at(-1)!, sequence) : after,
    complete: part.length === all.length,
  };
}
