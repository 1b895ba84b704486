import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import type { RowOrder } from './node-tree.ts';
import { type KeyedRows, sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';
import type { WindowSeries } from './window-series.ts';

const BLOCK = 1 << 15;

/** Rows of one window, or of several, in the two orders that boards are built from. */
interface Ordered {
  readonly byScore: KeyedRows;
  readonly byPlayer: KeyedRows;
}

/**
 * Builds all boards from the rows loaded, in time linear in their number: radix sorts, and for each kind of window a stable
 * distribution of the sorted rows. Looks into the table in the rows' own order where it can: at ten million rows each look
 * elsewhere is a cache miss. Yields often: the caller hands the turn back.
 */
export function* buildBoards(boards: BoardSet): Generator<void> {
  const { rows, overall } = boards;
  yield* rows.index();
  const ranked = yield* select(rows.top, (row) => rows.id(row) !== null && rows.ranks(row));
  const isBest = new Uint8Array(rows.top);
  if (overall) yield* buildWindow({ window: overall, isBest, ordered: yield* orderRows(rows, ranked) });
  for (const series of boards.series()) yield* buildSeries({ boards, series, ranked, isBest });
}

/** Sorts rows that are in the order of their numbers. */
function* orderRows(rows: RowTable, some: Int32Array): Generator<void, Ordered> {
  const { byScore, byPlayer } = rows;
  // Least significant first: each sort is stable. Ids and times mostly are in order already.
  const byId = yield* sortRows(some, (row) => rows.id(row)!);
  const byTime = yield* sortRows(byId.rows, byScore.second);
  const scored = yield* sortRows(byTime.rows, byScore.key);
  return { byScore: scored, byPlayer: yield* sortRows(scored.rows, byPlayer.key) };
}

interface WindowBuild {
  readonly window: BoardWindow;
  readonly ordered: Ordered;
  /** Scratch by row number, all 0 before and after. */
  readonly isBest: Uint8Array;
}

function* buildWindow({ window, ordered, isBest }: WindowBuild): Generator<void> {
  yield* window.games.build(ordered.byScore);
  yield* window.histories.build(ordered.byPlayer);
  yield* markBests(ordered.byPlayer, isBest);
  yield* window.players.build(yield* takeMarked(ordered.byScore, isBest));
}

/** A player's best row is the first of the player's run. */
function* markBests({ rows, keys }: KeyedRows, isBest: Uint8Array): Generator<void> {
  for (let i = 0; i < rows.length; i++) {
    if (i === 0 || keys[i] !== keys[i - 1]) isBest[rows[i]!] = 1;
    if (i % BLOCK === BLOCK - 1) yield;
  }
}

/** The marked rows, in their order; takes the marks away. */
function* takeMarked({ rows, keys }: KeyedRows, isMarked: Uint8Array): Generator<void, KeyedRows> {
  const marked = { rows: new Int32Array(rows.length), keys: keys.slice() };
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (isMarked[row] === 1) {
      marked.rows[count] = row;
      marked.keys[count++] = keys[i]!;
      isMarked[row] = 0;
    }
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return { rows: marked.rows.subarray(0, count), keys: marked.keys.subarray(0, count) };
}

interface SeriesBuild {
  readonly boards: BoardSet;
  readonly series: WindowSeries;
  readonly ranked: Int32Array;
  readonly isBest: Uint8Array;
}

/** Only the windows held: with a floor set before the build, old ones cost nothing. */
function* buildSeries({ boards, series, ranked, isBest }: SeriesBuild): Generator<void> {
  const { rows } = boards;
  const held = yield* select(ranked.length, (i) => series.held(rows.time(ranked[i]!)) !== undefined);
  for (let i = 0; i < held.length; i++) held[i] = ranked[held[i]!]!;
  const ordered = yield* orderRows(rows, held);
  const windowOf = (row: number): number => series.held(rows.time(row))!;
  const byScore = yield* sortRows(ordered.byScore.rows, windowOf);
  const byPlayer = yield* sortRows(ordered.byPlayer.rows, windowOf);
  for (let start = 0, end = 0; start < held.length; start = end) {
    const number = byScore.keys[start]!;
    while (end < held.length && byScore.keys[end] === number) end++;
    const window = boards.newWindow();
    const slice = {
      byScore: yield* withKeys(byScore.rows.subarray(start, end), rows.byScore),
      byPlayer: yield* withKeys(byPlayer.rows.subarray(start, end), rows.byPlayer),
    };
    yield* buildWindow({ window, ordered: slice, isBest });
    series.windows.set(number, window);
  }
}

function* withKeys(rows: Int32Array, order: RowOrder): Generator<void, KeyedRows> {
  const keys = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    keys[i] = order.key(rows[i]!);
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return { rows, keys };
}

/** The numbers below `length` that pass. */
function* select(length: number, passes: (number: number) => boolean): Generator<void, Int32Array> {
  const kept = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (passes(i)) kept[count++] = i;
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return kept.subarray(0, count);
}
