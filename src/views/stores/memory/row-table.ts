import type { Row, Value } from '../../../record/value.ts';
import { IdIndex } from './id-index.ts';
import { Names } from './names.ts';
import type { RowOrder } from './node-tree.ts';
import { NumberColumn } from './number-column.ts';
import { sortRows } from './radix-sort.ts';
import { ValueColumn } from './value-column.ts';

/** The columns by their part in the leaderboard. */
export interface RowColumns {
  readonly id: string;
  readonly player: string;
  readonly score: string;
  readonly time: string;
  readonly keep: readonly string[];
}

/** The rows of a table as a struct of arrays: row numbers are found by id, and used again once freed. */
export class RowTable {
  readonly #columns: RowColumns;
  /** Null in a free row. */
  readonly #id = new NumberColumn();
  /** A number of `names`; in a free row, the next free one. */
  readonly #player = new NumberColumn();
  readonly #score = new NumberColumn();
  readonly #time = new NumberColumn({ wide: true });
  readonly #kept: ValueColumn[];
  readonly #ids = new IdIndex({ idOf: (row) => this.#id.at(row) });
  readonly names = new Names();
  #free = -1;
  /** Row numbers given out so far, free ones among them. */
  top = 0;
  count = 0;

  constructor(columns: RowColumns) {
    this.#columns = columns;
    this.#kept = columns.keep.map(() => new ValueColumn());
  }

  /** Best first: higher score, earlier time, lower id. Of rows that are on boards. */
  readonly byScore: RowOrder = {
    key: (row) => -this.#score.at(row),
    second: (row) => this.#time.at(row),
    compare: (a, b) => {
      const [earlier, later] = [this.#time.at(a), this.#time.at(b)];
      // Infinite times are equal, and have no difference.
      return earlier === later ? this.#id.at(a) - this.#id.at(b) : earlier - later;
    },
  };

  /** A player's rows together, best first. */
  readonly byPlayer: RowOrder = {
    key: (row) => this.#player.at(row),
    second: (row) => -this.#score.at(row),
    compare: (a, b) => {
      const [lower, higher] = [this.#score.at(a), this.#score.at(b)];
      return lower === higher ? this.byScore.compare(a, b) : higher - lower;
    },
  };

  find(id: number): number {
    return this.#ids.find(id);
  }

  /** The number of a player, or -1. */
  findPlayer(name: string): number {
    const text = this.names.find(name);
    return text < 0 && String(Number(name)) === name ? this.names.find(Number(name)) : text;
  }

  id(row: number): number | null {
    return this.#id.get(row);
  }

  player(row: number): number {
    return this.#player.at(row);
  }

  time(row: number): number {
    return this.#time.at(row);
  }

  /** Whether a row is on boards: its player, score and time are not null. */
  ranks(row: number): boolean {
    return this.#score.get(row) !== null && this.#time.get(row) !== null && this.#player.get(row) !== null;
  }

  /** Whether these values would leave the row on the boards, and at the places, where it is. */
  samePlace(row: number, values: Row): boolean {
    const { player, score, time } = this.#columns;
    if (this.#score.get(row) !== (values[score] ?? null) || this.#time.get(row) !== (values[time] ?? null))
      return false;
    const name = values[player] as string | number | null | undefined;
    return this.#player.get(row) === (name == null ? null : this.names.find(name));
  }

  /** Adds a row whose id is not in it. While loading, `index` comes later. */
  add(values: Row, options: { indexed: boolean } = { indexed: true }): number {
    const row = this.#free >= 0 ? this.#free : this.top++;
    if (row === this.#free) this.#free = this.#player.at(row);
    const id = values[this.#columns.id] as number;
    this.#id.set(row, id);
    this.set(row, values);
    this.count++;
    if (options.indexed) this.#ids.add(id, row);
    return row;
  }

  /** Replaces all values but the id's. */
  set(row: number, values: Row): void {
    const { player, score, time } = this.#columns;
    const name = values[player] as string | number | null | undefined;
    this.#player.set(row, name == null ? null : this.names.intern(name));
    this.#score.set(row, (values[score] as number | undefined) ?? null);
    this.#time.set(row, (values[time] as number | undefined) ?? null);
    this.setKept(row, values);
  }

  setKept(row: number, values: Row): void {
    const { keep } = this.#columns;
    for (let i = 0; i < keep.length; i++) this.#kept[i]!.set(row, values[keep[i]!] ?? null);
  }

  remove(row: number): void {
    this.#ids.remove(this.#id.at(row));
    this.#release(row);
  }

  /** The row as its reader sees it. */
  read(row: number): Row {
    const { id, player, score, time, keep } = this.#columns;
    const name = this.#player.get(row);
    const values: Record<string, Value> = {
      [id]: this.#id.at(row),
      [player]: name === null ? null : this.names.get(name),
      [score]: this.#score.get(row),
      [time]: this.#time.get(row),
    };
    for (let i = 0; i < keep.length; i++) values[keep[i]!] = this.#kept[i]!.get(row);
    return values;
  }

  /**
   * Indexes all rows that were added unindexed; of two with one id the later stays. Yields now and then. Returns the row numbers in
   * the order of their ids, with those of rows that did not stay.
   */
  *index(): Generator<void, Int32Array> {
    if (this.top === 0) return this.numbers();
    const { rows, keys: ids } = yield* sortRows(this.numbers(), (row) => this.#id.at(row));
    // All but the outermost: a few stragglers must not decide for all.
    const [first, last] = [this.top >>> 6, this.top - 1 - (this.top >>> 6)];
    this.#ids.reserve(last - first + 1, ids[first]!, ids[last]!);
    for (let row = 0; row < this.top; row++) {
      const id = this.#id.at(row);
      const earlier = this.#ids.find(id);
      if (earlier >= 0) this.remove(earlier);
      this.#ids.add(id, row);
      if (row % 0x1000 === 0) yield;
    }
    return rows;
  }

  /** All row numbers given out, free ones among them, in order. */
  numbers(): Int32Array {
    const numbers = new Int32Array(this.top);
    for (let row = 0; row < this.top; row++) numbers[row] = row;
    return numbers;
  }

  /** What the rows take, their index and the players' names. */
  get bytes(): number {
    const columns = [this.#id, this.#player, this.#score, this.#time, ...this.#kept];
    return columns.reduce((sum, column) => sum + column.bytes, 0) + this.#ids.bytes + this.names.bytes;
  }

  #release(row: number): void {
    this.#id.set(row, null);
    this.#player.set(row, this.#free);
    for (const kept of this.#kept) kept.set(row, null);
    this.#free = row;
    this.count--;
  }
}
