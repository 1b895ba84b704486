import type { LeaderboardShape } from '../../leaderboard/leaderboard.ts';
import { monthOf } from '../../leaderboard/window.ts';
import { BestsOfAll, BestsOfSome } from './bests.ts';
import { type BoardPools, BoardWindow } from './board-window.ts';
import { NodePool, type NodePoolOptions } from './node-pool.ts';
import { OrderedRows } from './ordered-rows.ts';
import { RowTable } from './row-table.ts';
import { WindowSeries } from './window-series.ts';

/** The first windows held: what a new generation takes over from the one before it. */
export interface Floors {
  readonly monthly: number | undefined;
  readonly daily: number | undefined;
}

/** The rows of a table and their boards in every window: one generation, from one TRUNCATE to the next. */
export class BoardSet {
  readonly rows: RowTable;
  readonly pools: BoardPools;
  /** Every row, by player, best first: what a player falls back on when the best row goes (CORRECTNESS 7). */
  readonly histories: OrderedRows;
  readonly overall: BoardWindow | null;
  readonly monthly: WindowSeries | null;
  readonly daily: WindowSeries | null;

  constructor(options: { shape: LeaderboardShape; fanout?: NodePoolOptions; floors?: Floors }) {
    const { shape, fanout, floors } = options;
    this.rows = new RowTable(shape);
    this.pools = { score: new NodePool(fanout), player: new NodePool(fanout) };
    this.histories = new OrderedRows({ pool: this.pools.player, order: this.rows.byPlayer });
    this.overall = shape.overall ? this.#newOverall() : null;
    this.monthly = shape.monthly && new WindowSeries({ numberOf: monthOf, keepDays: shape.monthly.keepDays });
    this.daily = shape.daily && new WindowSeries({ numberOf: (day) => day, keepDays: shape.daily.keepDays });
    if (this.monthly && floors?.monthly !== undefined) this.monthly.floor = floors.monthly;
    if (this.daily && floors?.daily !== undefined) this.daily.floor = floors.daily;
  }

  get floors(): Floors {
    return { monthly: this.monthly?.floor, daily: this.daily?.floor };
  }

  #newOverall(): BoardWindow {
    const { rows, pools, histories } = this;
    return new BoardWindow({ rows, pools, bests: new BestsOfAll({ rows, histories }) });
  }

  /** An empty window of a series, which has it from now on. */
  addWindow(series: WindowSeries, number: number): BoardWindow {
    const holds = (row: number): boolean => series.held(this.rows.time(row)) === number;
    const { rows, pools, histories } = this;
    const window = new BoardWindow({ rows, pools, bests: new BestsOfSome({ rows, histories, holds }) });
    series.windows.set(number, window);
    return window;
  }

  /** Puts a row on every board it belongs to. */
  insert(row: number): void {
    if (!this.rows.ranks(row)) return;
    this.overall?.insert(row);
    for (const series of this.series()) {
      const number = series.held(this.rows.time(row));
      if (number === undefined) continue;
      const window = series.windows.get(number) ?? this.addWindow(series, number);
      window.insert(row);
    }
    this.histories.insert(row);
  }

  /** Takes a row, whose values must still be those it was inserted with, off every board. */
  remove(row: number): void {
    if (!this.rows.ranks(row)) return;
    this.histories.remove(row);
    this.overall?.remove(row);
    for (const series of this.series()) {
      const number = series.held(this.rows.time(row));
      if (number === undefined) continue;
      series.windows.get(number)?.remove(row);
      series.prune(number);
    }
  }

  expire(now: number): void {
    for (const series of this.series()) series.expire(now);
  }

  get bytes(): number {
    const bests = this.series().flatMap((series) => [...series.windows.values()].map((window) => window.bests.bytes));
    const trees = this.pools.score.bytes + this.pools.player.bytes;
    return this.rows.bytes + trees + bests.reduce((sum, bytes) => sum + bytes, 0);
  }

  series(): WindowSeries[] {
    return [this.monthly, this.daily].filter((series) => series !== null);
  }
}
