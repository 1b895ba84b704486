import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';
import type { WindowSeries } from './window-series.ts';

const BLOCK = 1 << 15;

/** Rows of one window, or of all of them, in the two orders that its boards are built from. */
interface Ordered {
  readonly byScore: Int32Array;
  readonly byPlayer: Int32Array;
}

/**
 * Builds all boards from the rows loaded: two radix sorts, and for each kind of window a stable distribution of the sorted
 * rows, so linear in their number. Yields often: the caller hands the turn back.
 */
export function* buildBoards(boards: BoardSet): Generator<void> {
  const { rows, overall } = boards;
  yield* rows.index();
  const all = yield* orderRows(rows);
  const isBest = new Uint8Array(rows.top);
  if (overall) yield* buildWindow({ window: overall, rows, ordered: all, isBest });
  for (const series of boards.series()) yield* buildSeries({ boards, series, all, isBest });
}

function* orderRows(rows: RowTable): Generator<void, Ordered> {
  const { byScore, byPlayer } = rows;
  const ranked = yield* filter(allRows(rows.top), (row) => rows.id(row) !== null && rows.ranks(row));
  // Least significant first: each sort is stable.
  const byId = yield* sortRows(ranked, (row) => rows.id(row)!);
  const byTime = yield* sortRows(byId, byScore.second);
  const scored = yield* sortRows(byTime, byScore.key);
  return { byScore: scored, byPlayer: yield* sortRows(scored, byPlayer.key) };
}

interface WindowBuild {
  readonly window: BoardWindow;
  readonly rows: RowTable;
  readonly ordered: Ordered;
  /** Scratch by row number, all 0 before and after. */
  readonly isBest: Uint8Array;
}

function* buildWindow({ window, rows, ordered, isBest }: WindowBuild): Generator<void> {
  const { byScore, byPlayer } = ordered;
  yield* window.games.build(byScore);
  yield* window.histories.build(byPlayer);
  yield* markBests(rows, byPlayer, isBest);
  const bests = yield* filter(byScore, (row) => isBest[row] === 1);
  for (const row of bests) isBest[row] = 0;
  yield* window.players.build(bests);
}

/** A player's best row is the first of each player's run. */
function* markBests(rows: RowTable, byPlayer: Int32Array, isBest: Uint8Array): Generator<void> {
  let before = -1;
  for (let i = 0; i < byPlayer.length; i++) {
    const player = rows.player(byPlayer[i]!);
    if (player !== before) isBest[byPlayer[i]!] = 1;
    before = player;
    if (i % BLOCK === BLOCK - 1) yield;
  }
}

interface SeriesBuild {
  readonly boards: BoardSet;
  readonly series: WindowSeries;
  readonly all: Ordered;
  readonly isBest: Uint8Array;
}

/** Only the windows held: with a floor set before the build, old ones cost nothing. */
function* buildSeries({ boards, series, all, isBest }: SeriesBuild): Generator<void> {
  const { rows } = boards;
  const windowOf = (row: number): number => series.held(rows.time(row))!;
  const isHeld = (row: number): boolean => series.held(rows.time(row)) !== undefined;
  const byScore = yield* sortRows(yield* filter(all.byScore, isHeld), windowOf);
  const byPlayer = yield* sortRows(yield* filter(all.byPlayer, isHeld), windowOf);
  for (let start = 0, end = 0; start < byScore.length; start = end) {
    const number = windowOf(byScore[start]!);
    while (end < byScore.length && windowOf(byScore[end]!) === number) if (++end % BLOCK === 0) yield;
    const ordered = { byScore: byScore.subarray(start, end), byPlayer: byPlayer.subarray(start, end) };
    const window = boards.newWindow();
    yield* buildWindow({ window, rows, ordered, isBest });
    series.windows.set(number, window);
  }
}

function allRows(length: number): Int32Array {
  const rows = new Int32Array(length);
  for (let row = 0; row < length; row++) rows[row] = row;
  return rows;
}

/** The rows that pass, in their order. */
function* filter(rows: Int32Array, passes: (row: number) => boolean): Generator<void, Int32Array> {
  const kept = new Int32Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    if (passes(rows[i]!)) kept[count++] = rows[i]!;
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return kept.subarray(0, count);
}
