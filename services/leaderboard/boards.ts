import { ClientError, isDay, microsToIso, type RankedRow, top } from '../../src/index.ts';
import { found } from './game.ts';
import type { Game } from './views.ts';

/** One entry of a board. */
export interface Entry {
  readonly username: string;
  /** `2019-11-06 09:00:37`, UTC. */
  readonly gamedate: string;
  readonly level: number;
  readonly score: number;
}

export interface Boards {
  readonly overall: readonly Entry[];
  readonly monthly: readonly Entry[];
  readonly daily: readonly Entry[];
}

/** The best games of all time, of a day's month and of the day, to be asked at one position. */
export function boardQueries(date: string, limit: number) {
  return [
    top<Game>({ board: 'games', window: 'overall', limit }),
    top<Game>({ board: 'games', window: 'monthly', date, limit }),
    top<Game>({ board: 'games', window: 'daily', date, limit }),
  ] as const;
}

/** The answers to {@link boardQueries}, as the API gives them. */
export function boardsOf(results: readonly (readonly RankedRow<Game>[])[]): Boards {
  const [overall, monthly, daily] = results.map((rows) => rows.map(({ row }) => entryOf(row)));
  return { overall: overall!, monthly: monthly!, daily: daily! };
}

export function entryOf({ username, gamedate, level, score }: Game): Entry {
  return { username, gamedate: dateText(gamedate), level, score };
}

/** `2019-11-06 09:00:37`, UTC. */
export function dateText(micros: number): string {
  return microsToIso(micros)
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}

/** A day as clients write it (`2019-11-06`); throws 400 for anything else, 30 February included. */
export function checkedDay(text: string): string {
  if (isDay(text)) return text;
  throw new ClientError(400, `The date must be a day such as 2019-11-06, found ${found(text)}.`);
}

/** The present day in UTC. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
