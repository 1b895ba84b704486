import type { Row, Value } from '../../record/value.ts';
import type { ViewQuery } from '../view.ts';

/** `games`: every row is an entry. `players`: each player's best row in the window is the entry. */
export type Board = 'games' | 'players';

/** The windows in UTC. `monthly` and `daily` need `date` (`yyyy-mm-dd`), which names the day or the month it lies in. */
export type Window = 'overall' | 'monthly' | 'daily';

export interface BoardOf {
  readonly board: Board;
  readonly window: Window;
  readonly date?: string;
}

/** `R`: what a row is, where the query says so. */
export interface RankedRow<R extends object = Row> {
  /** 1 is the best; no two entries share one (ties go to the earlier row, then the lower id). */
  readonly rank: number;
  readonly row: R;
}

export interface Standing<R extends object = Row> extends RankedRow<R> {
  /** Entries on the board. */
  readonly of: number;
  /** Up to `around` entries on either side and the entry itself, best first. */
  readonly neighbours: readonly RankedRow<R>[];
}

/** Entries from `offset` (0 is the best), at most `limit`, best first. */
export interface RangeQuery<R extends object = Row> extends BoardOf, ViewQuery<RankedRow<R>[]> {
  readonly ask: 'range';
  readonly offset: number;
  readonly limit: number;
}

/** Where an entry stands, with its neighbours: a player on `players`, a row by id on `games`. Null where it is not on the board. */
export interface StandingQuery<R extends object = Row> extends BoardOf, ViewQuery<Standing<R> | null> {
  readonly ask: 'standing';
  readonly member: Value;
  readonly around: number;
}

export interface CountQuery extends BoardOf, ViewQuery<number> {
  readonly ask: 'count';
}

/** One player's rows in a window, best first. */
export interface HistoryQuery<R extends object = Row> extends ViewQuery<R[]> {
  readonly ask: 'history';
  readonly player: string;
  readonly limit: number;
}

export type LeaderboardQuery = RangeQuery<object> | StandingQuery<object> | CountQuery | HistoryQuery<object>;

/** The best `limit` entries. `top<Game>(...)`: rows are told to be so, as `leaderboard<Game>` checks. */
export function top<R extends object = Row>(of: BoardOf & { limit: number }): RangeQuery<R> {
  return { ask: 'range', offset: 0, ...of };
}

export function range<R extends object = Row>(of: BoardOf & { offset: number; limit: number }): RangeQuery<R> {
  return { ask: 'range', ...of };
}

export function standing<R extends object = Row>(of: BoardOf & { member: Value; around?: number }): StandingQuery<R> {
  return { ask: 'standing', around: 0, ...of };
}

export function count(of: BoardOf): CountQuery {
  return { ask: 'count', ...of };
}

export function history<R extends object = Row>(of: { player: string; limit: number }): HistoryQuery<R> {
  return { ask: 'history', ...of };
}
