import { ClientError, type RankedRow, type Row, type Standing } from '../../src/index.ts';
import { type Entry, entryOf } from './boards.ts';
import { found as quoted } from './game.ts';
import type { Game } from './views.ts';

interface Ranked extends Entry {
  readonly rank: number;
}

/** Where a player stands on a board of players. */
export interface Rank extends Ranked {
  readonly window: 'overall' | 'monthly' | 'daily';
  /** The day asked for; null for all time. */
  readonly date: string | null;
  /** Players on the board. */
  readonly of: number;
  readonly percentile: number;
  readonly neighbours: readonly Ranked[];
}

export interface RankAsked extends Pick<Rank, 'window'> {
  readonly player: string;
  readonly date: string;
  /** The player's standing, and one game of theirs in any window. */
  readonly found: readonly [Standing | null, readonly Row[]];
}

/** Throws 404: no such player, or none with a game in this window. */
export function rankOf({ player, window, date, found: [standing, games] }: RankAsked): Rank {
  if (!standing) throw absent(player, games.length > 0, window, date);
  const { rank, of } = standing;
  return {
    ...rankedOf(standing),
    window,
    date: window === 'overall' ? null : date,
    of,
    percentile: percentile(rank, of),
    neighbours: standing.neighbours.map(rankedOf),
  };
}

/** Per cent of the other players who rank lower, with two decimals: 100 for the first, 0 for the last, 100 for one alone. */
export function percentile(rank: number, of: number): number {
  return of <= 1 ? 100 : Math.floor((10_000 * (of - rank)) / (of - 1)) / 100;
}

function rankedOf({ rank, row }: RankedRow): Ranked {
  return { rank, ...entryOf(row as unknown as Game) };
}

function absent(player: string, known: boolean, window: Rank['window'], date: string): ClientError {
  if (!known) return new ClientError(404, `There is no player ${quoted(player)} with a game.`);
  const when = window === 'daily' ? `on ${date}` : `in ${date.slice(0, 7)}`;
  return new ClientError(404, `${quoted(player)} has no game ${when} (UTC). Ask for another date or window.`);
}
