import type { Row } from '../../record/value.ts';
import { MemoryBitmap } from '../stores/memory/bitmap.ts';
import { StoredBitmap } from '../stores/valkey/bitmap.ts';
import type { ViewDefinition } from '../view.ts';
import type { BitmapQuery } from './queries.ts';
import { answerFromRecord } from './sql.ts';

/** The names of a row type's columns that hold a number: any name where no row type is given. */
type NumberColumn<R> = string extends keyof R
  ? string
  : { [K in keyof R & string]: NonNullable<R[K]> extends number ? K : never }[keyof R & string];

export interface BitmapOptions<R extends object = Row> {
  /** `schema.name`: one row a cell that was ever set. */
  readonly table: string;
  /** The primary key: the cell, `y * width + x`. */
  readonly cell: NumberColumn<R>;
  /** 0 to `colors - 1`; NULL is a cell that was cleared. */
  readonly color: NumberColumn<R>;
  /** Above 0, no two alike, ascending in the order of the changes: what changed after a number that a reader has seen is found by it. */
  readonly sequence: NumberColumn<R>;
  /** A timestamp: when the cell was last changed. */
  readonly time: NumberColumn<R>;
  readonly width: number;
  readonly height: number;
  /** At most 255; 16 unless told. */
  readonly colors?: number;
}

export type BitmapShape = Required<BitmapOptions>;

/** Cells of the largest bitmap: 16 million take 340 MB. */
const MAX_CELLS = 2 ** 24;

/**
 * A bitmap of cells, each clear or of one colour, with the order in which they last changed: the whole, a region, one bit a
 * cell, or what changed after a point. Rows that are no cell of it (outside, a colour that is none) stop its answers until they
 * are gone; the record answers meanwhile.
 */
export function bitmap<R extends object = Row>(options: BitmapOptions<NoInfer<R>>): ViewDefinition<BitmapQuery> {
  const shape: BitmapShape = { colors: 16, ...options };
  const { table, width, height, colors } = shape;
  const whole = [width, height, colors].every((value) => Number.isInteger(value) && value > 0);
  if (!whole || width * height > MAX_CELLS || colors > 255) {
    throw new Error(
      `bitmap of ${table}: width ${width}, height ${height}, ${colors} colors; at most ${MAX_CELLS} cells and 255 colors`,
    );
  }
  return {
    kind: 'bitmap',
    sources: [{ table, columns: [shape.cell, shape.color, shape.sequence, shape.time] }],
    build: () => new MemoryBitmap({ shape }),
    stored: new StoredBitmap({ shape }),
    answerFromRecord: (reader, queries) => answerFromRecord(shape, reader, queries),
  };
}
