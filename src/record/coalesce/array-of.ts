import { arrayLiteral } from './array-literal.ts';
import { textArray } from './text-array.ts';

/** Values of one column as the parameter that an array of `type` is bound by. */
export function arrayOf(type: string, values: readonly unknown[]): string | Buffer {
  return type === 'text' ? textArray(values) : arrayLiteral(values);
}
