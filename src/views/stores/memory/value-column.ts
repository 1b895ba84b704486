import type { Value } from '../../../record/value.ts';
import { NumberColumn } from './number-column.ts';

const SHIFT = 12;
const CHUNK = 1 << SHIFT;
const MASK = CHUNK - 1;

/**
 * Values by row number, which are used from 0 on without gaps: typed arrays while all are numbers or null, plain ones from the first that is neither.
 */
export class ValueColumn {
  #numbers: NumberColumn | null = new NumberColumn();
  #chunks: Value[][] = [];
  /** Rows up to here have a value: what is moved when the column turns plain. */
  #length = 0;

  get(row: number): Value {
    return this.#numbers ? this.#numbers.get(row) : this.#chunks[row >>> SHIFT]![row & MASK];
  }

  set(row: number, value: Value): void {
    if (this.#numbers && !isNumeric(value)) this.#turnPlain(this.#numbers);
    if (row >= this.#length) this.#length = row + 1;
    if (this.#numbers) this.#numbers.set(row, value as number | null);
    else this.#setPlain(row, value);
  }

  /** What strings and other heap values take is not counted, only the references to them. */
  get bytes(): number {
    return this.#numbers ? this.#numbers.bytes : this.#chunks.length * CHUNK * 8;
  }

  #setPlain(row: number, value: Value): void {
    const chunk = row >>> SHIFT;
    while (this.#chunks.length <= chunk) this.#chunks.push(new Array<Value>(CHUNK).fill(null));
    this.#chunks[chunk]![row & MASK] = value;
  }

  #turnPlain(numbers: NumberColumn): void {
    this.#numbers = null;
    for (let row = 0; row < this.#length; row++) this.#setPlain(row, numbers.get(row));
  }
}

function isNumeric(value: Value): boolean {
  return value === null || (typeof value === 'number' && !Number.isNaN(value));
}
