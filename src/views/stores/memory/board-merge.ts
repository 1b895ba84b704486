import { eachWindow, filter, select, sortByScore, sortByTime } from './board-build.ts';
import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { Firsts } from './firsts.ts';
import { type KeyedRows, sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';

/**
 * Puts very many new rows on all boards: each board's are sorted and merged with those that are there, as a build does it. Costs what
 * is added and, where that is not far less, what is there, each once. Yields often; until it is done the boards are not to be used.
 */
export function* mergeBatch(boards: BoardSet, added: Int32Array): Generator<void> {
  const { rows } = boards;
  const ranked = yield* select(added, (row) => rows.ranks(row));
  const byId = yield* sortRows(ranked, (row) => rows.id(row)!);
  const byTime = yield* sortByTime(rows, byId.rows);
  const byScore = yield* sortByScore(rows, byTime.rows);
  const byPlayer = yield* sortRows(byScore.rows, rows.byPlayer.key);
  const firsts = yield* Firsts.of(boards, byPlayer);
  if (boards.overall) yield* mergeInto(boards.overall, byScore, rows, (row) => firsts.isOfAll(row));
  for (const series of boards.series())
    yield* eachWindow(rows, series, byTime, (number, held) => {
      const window = series.windows.get(number) ?? boards.addWindow(series, number);
      return mergeInto(window, held, rows, (row) => firsts.isOf(series, row));
    });
  // Last: a player's best of all time is the first of the history as it was.
  yield* boards.histories.insertAll(byPlayer);
}

/** Of a player's new rows only the best can be on the board of players, where it may take the place of the one there. */
function* mergeInto(
  window: BoardWindow,
  byScore: KeyedRows,
  rows: RowTable,
  isFirst: (row: number) => boolean,
): Generator<void> {
  const { bests } = window;
  const replaced: number[] = [];
  const accepted = yield* filter(byScore, (row) => {
    if (!isFirst(row)) return false;
    const best = bests.of(rows.player(row));
    if (best >= 0 && rows.byPlayer.compare(best, row) < 0) return false;
    if (best >= 0) replaced.push(best);
    bests.put(row, best);
    return true;
  });
  yield* window.games.insertAll(byScore);
  yield* window.players.insertAll(accepted, replaced);
}
