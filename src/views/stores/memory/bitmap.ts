import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import type { BitmapShape } from '../../bitmap/bitmap.ts';
import { checkQuery } from '../../bitmap/check.ts';
import { fitsBitmap, isCell } from '../../bitmap/fitness.ts';
import type { BitmapQuery } from '../../bitmap/queries.ts';
import type { Drift, MemoryView, ViewStats } from '../../view.ts';
import { auditCells, type BitmapAuditQuery } from './bitmap-audit.ts';
import { BitmapCells } from './bitmap-cells.ts';
import { inTurns } from './turns.ts';

/** Rows that cannot be held which are told apart; with more, only a rebuild or a TRUNCATE helps. */
const MAX_ASIDE = 10_000;
/** Cells compared between two yields. */
const BLOCK = 2000;

/** The `bitmap` kind in memory: 21 bytes a cell, and 12 for each that was changed, twice that at most. Every change may come twice. */
export class MemoryBitmap implements MemoryView<BitmapQuery> {
  readonly #shape: BitmapShape;
  readonly #columns: readonly string[];
  #cells: BitmapCells;
  /** Keys of rows that cannot be held: while there are any, the record answers. */
  readonly #aside = new Set<Value>();
  #tooManyAside = false;

  constructor(options: { shape: BitmapShape }) {
    this.#shape = options.shape;
    const { cell, color, sequence, time } = options.shape;
    this.#columns = [cell, color, sequence, time];
    this.#cells = new BitmapCells(options.shape);
  }

  load(table: string, rows: readonly Row[]): void {
    if (table !== this.#shape.table) return;
    for (const row of rows) this.#put(row[this.#shape.cell], row, false);
  }

  async loaded(): Promise<void> {
    await inTurns(this.#cells.order.build());
  }

  apply(changes: readonly Change[]): void {
    const { table, cell } = this.#shape;
    for (const change of changes) {
      if (change.table.name !== table) continue;
      if (change.op === 'truncate') this.#truncate();
      else if (change.op === 'delete') this.#forget(change.before[cell]);
      else this.#put(change.before?.[cell] ?? change.after[cell], change.after, true);
    }
  }

  answer(query: BitmapQuery | BitmapAuditQuery): unknown {
    if (query.ask === 'cells') return this.#cells.states(query.start, query.count);
    if (query.ask === 'aside') return [...this.#aside].map(String).sort();
    checkQuery(this.#shape, query);
    if (this.#aside.size > 0 || this.#tooManyAside) return undefined;
    switch (query.ask) {
      case 'snapshot':
        return this.#cells.pixels({ x: 0, y: 0, width: this.#shape.width, height: this.#shape.height });
      case 'region':
        return this.#cells.pixels(query);
      case 'bits':
        return this.#cells.bits();
      case 'drawn':
        return this.#cells.drawn;
      case 'changes':
        return this.#cells.changes(query.after, query.limit);
      case 'sequence':
        return this.#cells.sequenceAt(query.at);
    }
  }

  stats(): ViewStats {
    return { entries: this.#cells.rows + this.#aside.size, bytes: this.#cells.bytes };
  }

  /** Questions that together tell all that this state holds, for a bitmap on another store. */
  audit(): Iterable<BitmapQuery | BitmapAuditQuery> {
    return auditCells(this.#shape);
  }

  *compare(other: MemoryView<BitmapQuery>): Iterable<Drift | undefined> {
    if (!(other instanceof MemoryBitmap)) throw new Error('a bitmap compares with a bitmap only');
    const size = this.#shape.width * this.#shape.height;
    for (let start = 0; start < size; start += BLOCK) {
      const drifts: Drift[] = [];
      for (let cell = start; cell < Math.min(size, start + BLOCK); cell++) {
        const inView = this.#describe(cell);
        const inRecord = other.#describe(cell);
        if (inView !== inRecord) drifts.push({ what: `cell ${cell}`, inView, inRecord });
      }
      if (drifts.length === 0) yield undefined;
      else yield* drifts;
    }
    const [inView, inRecord] = [this, other].map((each) => [...each.#aside].map(String).sort().join(', '));
    if (inView !== inRecord)
      yield { what: 'rows that are no cells', inView: inView || 'none', inRecord: inRecord || 'none' };
  }

  /** A cell's whole state; the empty text for one without a row, which most are. */
  #describe(cell: number): string {
    const { codes, sequences, times } = this.#cells;
    if (sequences[cell] === 0) return '';
    return `${codes[cell] === 0 ? 'clear' : `color ${codes[cell]! - 1}`}, sequence ${sequences[cell]}, time ${times[cell]}`;
  }

  #truncate(): void {
    this.#cells = new BitmapCells(this.#shape);
    this.#aside.clear();
    this.#tooManyAside = false;
  }

  #forget(key: Value): void {
    this.#aside.delete(key);
    if (isCell(this.#shape, key)) this.#cells.forget(key);
  }

  /** The row that had this key is now `after`, possibly under another key. */
  #put(key: Value, after: Row, ordered: boolean): void {
    const { cell, color, sequence, time } = this.#shape;
    const newKey = after[cell];
    const values = this.#filled(after, key);
    if (key !== newKey) this.#forget(key);
    if (fitsBitmap(this.#shape, values) && this.#columns.every((column) => values[column] !== undefined)) {
      this.#aside.delete(newKey);
      const code = values[color] === null ? 0 : (values[color] as number) + 1;
      const state = { code, sequence: values[sequence] as number, time: values[time] as number };
      this.#cells.set(newKey as number, state, ordered);
    } else {
      this.#forget(newKey);
      if (this.#aside.size < MAX_ASIDE) this.#aside.add(newKey);
      else this.#tooManyAside = true;
    }
  }

  /** With the old row's values in place of those the log did not carry (CORRECTNESS 6); a key that moved twice is found under the new one. */
  #filled(after: Row, key: Value): Row {
    if (!this.#columns.some((column) => after[column] === undefined)) return after;
    const { cell, color, sequence, time } = this.#shape;
    const known = [key, after[cell]].find((each) => isCell(this.#shape, each) && this.#cells.sequences[each]! > 0);
    if (known === undefined) return after;
    const at = known as number;
    const code = this.#cells.codes[at]!;
    const old: Row = {
      [cell]: at,
      [color]: code === 0 ? null : code - 1,
      [sequence]: this.#cells.sequences[at]!,
      [time]: this.#cells.times[at]!,
    };
    return Object.fromEntries(
      this.#columns.map((column) => [column, after[column] === undefined ? old[column] : after[column]]),
    );
  }
}
