import type { Row } from '../../record/value.ts';
import type { LeaderboardShape } from './leaderboard.ts';
import type { LeaderboardQuery } from './queries.ts';

/** The leaderboard in the simplest way there is: filter and sort all rows for each query. What the tests compare with. */
export function modelAnswer(shape: LeaderboardShape, rows: readonly Row[], query: LeaderboardQuery): unknown {
  const order = bestFirst(shape);
  const ranked = rows.filter(
    (row) => row[shape.score] !== null && row[shape.time] !== null && row[shape.player] !== null,
  );
  ranked.sort(order);
  if (query.ask === 'history') {
    return ranked.filter((row) => row[shape.player] === query.player).slice(0, query.limit);
  }
  const inWindow = ranked.filter((row) => isIn(row[shape.time] as number, query));
  const seen = new Set<unknown>();
  const isFirst = (row: Row): boolean => seen.size < seen.add(row[shape.player]).size;
  const board = (query.board === 'games' ? inWindow : inWindow.filter(isFirst)).map((row, i) => ({ rank: i + 1, row }));
  if (query.ask === 'count') return board.length;
  if (query.ask === 'range') return board.slice(query.offset, query.offset + query.limit);
  const column = query.board === 'games' ? shape.id : shape.player;
  const at = board.findIndex(({ row }) => row[column] === query.member);
  const neighbours = board.slice(Math.max(0, at - query.around), at + query.around + 1);
  return at < 0 ? null : { ...board[at], of: board.length, neighbours };
}

function bestFirst({ id, score, time }: LeaderboardShape): (a: Row, b: Row) => number {
  const compare = (a: unknown, b: unknown): number => (a === b ? 0 : (a as number) < (b as number) ? -1 : 1);
  return (a, b) => compare(b[score], a[score]) || compare(a[time], b[time]) || compare(a[id], b[id]);
}

function isIn(time: number, { window, date }: { window: string; date?: string }): boolean {
  if (window === 'overall') return true;
  if (!Number.isFinite(time)) return false;
  const length = window === 'daily' ? 10 : 7;
  return new Date(Math.floor(time / 1000)).toISOString().slice(0, length) === date!.slice(0, length);
}
