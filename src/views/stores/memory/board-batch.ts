import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { type KeyedRows, sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';

/**
 * Puts many new rows on every board they belong to, each board's in its own order: neighbours go into the same leaves, which
 * the caches then hold. Of a player's new rows only the best can be on a board of players.
 */
export function insertBatch(boards: BoardSet, added: readonly number[]): void {
  const { rows } = boards;
  const ranked = Int32Array.from(added).filter((row) => rows.ranks(row));
  const byScore = finished(sortRows(ranked, rows.byScore.key)).rows;
  if (boards.overall) insertInto(boards.overall, byScore, rows);
  for (const series of boards.series()) {
    const windows = Map.groupBy(byScore, (row) => series.held(rows.time(row)));
    for (const [number, held] of windows) {
      if (number !== undefined) insertInto(series.windows.get(number) ?? boards.addWindow(series, number), held, rows);
    }
  }
  // Last: a player's best of all time is the first of the history as it was.
  for (const row of finished(sortRows(byScore, rows.byPlayer.key)).rows) boards.histories.insert(row);
}

function insertInto(window: BoardWindow, some: Iterable<number>, rows: RowTable): void {
  const best = new Map<number, number>();
  for (const row of some) {
    window.games.insert(row);
    const player = rows.player(row);
    const known = best.get(player);
    // Of equal scores the order here is none.
    if (known === undefined || rows.byPlayer.compare(row, known) < 0) best.set(player, row);
  }
  for (const row of best.values()) window.offer(row);
}

/** Done at once: a batch is small. */
function finished(sorting: Generator<void, KeyedRows>): KeyedRows {
  for (;;) {
    const { done, value } = sorting.next();
    if (done) return value;
  }
}
