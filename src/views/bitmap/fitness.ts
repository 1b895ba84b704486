import type { Row, Value } from '../../record/value.ts';
import type { BitmapShape } from './bitmap.ts';

/** Whether the values that a row has are those of a cell: `undefined` ones, which the log did not carry, are passed over. */
export function fitsBitmap(shape: BitmapShape, row: Row): boolean {
  const { cell, color, sequence, time, colors } = shape;
  return (
    isCell(shape, row[cell]) &&
    fits(row[color], (value) => value === null || isWithin(value, colors)) &&
    fits(row[sequence], (value) => Number.isSafeInteger(value) && (value as number) > 0) &&
    fits(row[time], Number.isSafeInteger)
  );
}

/** Whether a key is that of a cell. */
export function isCell({ width, height }: BitmapShape, key: Value): key is number {
  return isWithin(key, width * height);
}

function fits(value: Value, test: (value: Value) => boolean): boolean {
  return value === undefined || test(value);
}

function isWithin(value: Value, end: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;
}
