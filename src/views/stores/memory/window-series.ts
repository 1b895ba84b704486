import { dayOf } from '../../leaderboard/window.ts';
import type { BoardWindow } from './board-window.ts';

/** The windows of one kind, all months or all days, by their number. */
export class WindowSeries {
  /** The window a day lies in. */
  readonly numberOf: (day: number) => number;
  readonly #keepDays: number | undefined;
  readonly windows = new Map<number, BoardWindow>();
  /**
   * The first window that is held. Those before it were let go of and never come back, not even by a late row: such a
   * window would hold that row alone (CORRECTNESS 8). A window from here on that is not in `windows` is truly empty.
   */
  floor = Number.NEGATIVE_INFINITY;
  /** The last day asked for, and its window: most rows are of the day of the row before. */
  #day = Number.NaN;
  #number = Number.NaN;

  constructor(options: { numberOf: (day: number) => number; keepDays: number | undefined }) {
    this.numberOf = options.numberOf;
    this.#keepDays = options.keepDays;
  }

  /** The window a row of this time belongs to; undefined where it is not held, or the time is infinite. */
  held(time: number): number | undefined {
    if (!Number.isFinite(time)) return undefined;
    const day = dayOf(time);
    if (day !== this.#day) {
      this.#day = day;
      this.#number = this.numberOf(day);
    }
    return this.#number >= this.floor ? this.#number : undefined;
  }

  /** Lets go of the windows that ended more than the kept days ago. The floor only rises, whatever the clock does. */
  expire(now: number): void {
    if (this.#keepDays === undefined) return;
    this.floor = Math.max(this.floor, this.numberOf(dayOf(now) - this.#keepDays));
    for (const [number, window] of this.windows) if (number < this.floor) this.#drop(number, window);
  }

  /** Forgets a window that has become empty. */
  prune(number: number): void {
    const window = this.windows.get(number);
    if (window?.games.size === 0) this.#drop(number, window);
  }

  #drop(number: number, window: BoardWindow): void {
    window.drop();
    this.windows.delete(number);
  }
}
