/** A set of row numbers: a byte a row of the table. */
export class RowMarks {
  #marks = new Uint8Array(1024);
  size = 0;

  has(row: number): boolean {
    return this.#marks[row] === 1;
  }

  add(row: number): void {
    if (row >= this.#marks.length) this.#grow(row + 1);
    if (this.#marks[row] === 0) this.size++;
    this.#marks[row] = 1;
  }

  /** Whether it was in it. */
  delete(row: number): boolean {
    if (!this.has(row)) return false;
    this.#marks[row] = 0;
    this.size--;
    return true;
  }

  /** All of them in order, and none is left. */
  take(): Int32Array {
    const rows = new Int32Array(this.size);
    for (let row = this.#marks.indexOf(1), i = 0; row >= 0; row = this.#marks.indexOf(1, row + 1)) rows[i++] = row;
    this.clear();
    return rows;
  }

  clear(): void {
    this.#marks = new Uint8Array(1024);
    this.size = 0;
  }

  #grow(length: number): void {
    const longer = new Uint8Array(Math.max(length, this.#marks.length * 2));
    longer.set(this.#marks);
    this.#marks = longer;
  }
}
