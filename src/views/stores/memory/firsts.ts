import { dayOf } from '../../leaderboard/window.ts';
import type { BoardSet } from './board-set.ts';
import type { KeyedRows } from './radix-sort.ts';
import type { WindowSeries } from './window-series.ts';

const BLOCK = 1 << 15;
const OF_ALL = 1;
/** Times are safe integers of microseconds: five centuries. */
const FIRST_DAY = dayOf(Number.MIN_SAFE_INTEGER);
const DAYS = dayOf(Number.MAX_SAFE_INTEGER) - FIRST_DAY + 1;

/**
 * Which rows are the best of their players: of all time, and in their windows. Found in one walk over the players' rows, best first,
 * that looks into the table once for each, and marks a byte: looking from each window's rows at their players took twice as long.
 */
export class Firsts {
  /** By row number: bit 0 for all time, the next ones for the series in their order. */
  readonly #marks: Uint8Array;
  readonly #series: readonly WindowSeries[];

  private constructor(marks: Uint8Array, series: readonly WindowSeries[]) {
    this.#marks = marks;
    this.#series = series;
  }

  /** Among the rows given: players together, each one's best first. Yields now and then. */
  static *of(boards: BoardSet, { rows: byPlayer, keys: players }: KeyedRows): Generator<void, Firsts> {
    const series = boards.series();
    const latest = series.map((one) => new LatestPlayers(one));
    const marks = new Uint8Array(boards.rows.top);
    for (let i = 0; i < byPlayer.length; i++) {
      const row = byPlayer[i]!;
      const player = players[i]!;
      const time = boards.rows.time(row);
      let mark = i === 0 || players[i - 1] !== player ? OF_ALL : 0;
      if (Number.isFinite(time)) {
        const day = dayOf(time) - FIRST_DAY;
        for (let k = 0; k < latest.length; k++) if (latest[k]!.isNew(day, player)) mark |= bitOf(k);
      }
      marks[row] = mark;
      if (i % BLOCK === BLOCK - 1) yield;
    }
    return new Firsts(marks, series);
  }

  isOfAll(row: number): boolean {
    return (this.#marks[row]! & OF_ALL) !== 0;
  }

  isOf(series: WindowSeries, row: number): boolean {
    return (this.#marks[row]! & bitOf(this.#series.indexOf(series))) !== 0;
  }
}

function bitOf(series: number): number {
  return 2 << series;
}

/** By window, the player seen in it last: the rows of one player come together. */
class LatestPlayers {
  /** By day from the first one on, the window it lies in, counted from the first; -1 where that is not held. */
  readonly #windows = new Int32Array(DAYS);
  readonly #players: Int32Array;

  constructor({ floor, numberOf }: WindowSeries) {
    const first = numberOf(FIRST_DAY);
    for (let day = 0; day < DAYS; day++) {
      const number = numberOf(FIRST_DAY + day);
      this.#windows[day] = number < floor ? -1 : number - first;
    }
    this.#players = new Int32Array(numberOf(FIRST_DAY + DAYS - 1) - first + 1).fill(-1);
  }

  /** Days are counted from the first one. */
  isNew(day: number, player: number): boolean {
    const window = this.#windows[day]!;
    if (window < 0 || this.#players[window] === player) return false;
    this.#players[window] = player;
    return true;
  }
}
