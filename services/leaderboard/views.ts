import { leaderboard } from '../../src/index.ts';

/** A row of `leaderboard.games`, as changes and boards carry it. */
export interface Game {
  readonly game_id: number;
  readonly username: string;
  /** Microseconds since 1970 UTC, in whole milliseconds. */
  readonly gamedate: number;
  readonly level: number;
  readonly score: number;
}

export const views = {
  games: leaderboard<Game>({
    table: 'leaderboard.games',
    id: 'game_id',
    player: 'username',
    score: 'score',
    time: 'gamedate',
    keep: ['level'],
    windows: { overall: true, monthly: { keepDays: 92 }, daily: { keepDays: 31 } },
  }),
};
