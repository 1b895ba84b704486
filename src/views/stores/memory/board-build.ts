import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { type KeyedRows, sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';
import type { WindowSeries } from './window-series.ts';

const BLOCK = 1 << 15;

/**
 * Builds all boards from the rows loaded, in time linear in their number: radix sorts, and for each kind of window a stable
 * distribution of the sorted rows. Looks into the table in the rows' own order where it can: at ten million rows each look
 * elsewhere is a cache miss. Yields often: the caller hands the turn back.
 */
export function* buildBoards(boards: BoardSet): Generator<void> {
  const { rows } = boards;
  yield* rows.index();
  const ranked = yield* select(rows.numbers(), (row) => rows.id(row) !== null && rows.ranks(row));
  yield* buildAll(boards, ranked);
  for (const series of boards.series()) yield* buildSeries(boards, series, ranked);
}

/** The players' histories, and the boards of all time. */
function* buildAll({ rows, histories, overall }: BoardSet, ranked: Int32Array): Generator<void> {
  const byScore = yield* sortByScore(rows, ranked);
  const byPlayer = yield* sortRows(byScore.rows, rows.byPlayer.key);
  yield* histories.build(byPlayer);
  if (!overall) return;
  yield* overall.games.build(byScore);
  const isBest = yield* markBests(byPlayer, rows.top);
  yield* overall.players.build(yield* filter(byScore, (row) => isBest[row] === 1));
}

/** Sorts rows that are in the order of their numbers. */
export function* sortByScore(rows: RowTable, some: Int32Array): Generator<void, KeyedRows> {
  const { byScore } = rows;
  // Least significant first: each sort is stable. Ids and times mostly are in order already.
  const byId = yield* sortRows(some, (row) => rows.id(row)!);
  const byTime = yield* sortRows(byId.rows, byScore.second);
  return yield* sortRows(byTime.rows, byScore.key);
}

/** By row number, 1 for each player's best row: the first of the player's run. */
function* markBests({ rows, keys }: KeyedRows, top: number): Generator<void, Uint8Array> {
  const isBest = new Uint8Array(top);
  for (let i = 0; i < rows.length; i++) {
    if (i === 0 || keys[i] !== keys[i - 1]) isBest[rows[i]!] = 1;
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return isBest;
}

function* buildSeries(boards: BoardSet, series: WindowSeries, ranked: Int32Array): Generator<void> {
  const firsts = new FirstRows(boards.rows);
  yield* eachWindow(boards.rows, series, ranked, (number, byScore) =>
    buildWindow(boards.addWindow(series, number), byScore, firsts.ofNextWindow()),
  );
}

/**
 * Splits rows by their windows, and works on each window's, best first. Only the windows held: with a floor set before a build, old
 * ones cost nothing.
 */
export function* eachWindow(
  rows: RowTable,
  series: WindowSeries,
  ranked: Int32Array,
  work: (number: number, byScore: KeyedRows) => Generator<void>,
): Generator<void> {
  const held = yield* select(ranked, (row) => series.held(rows.time(row)) !== undefined);
  // Windows first, scores within each: rows mostly come in the order of their times, and a window's fit in the caches.
  const { rows: sorted, keys: windows } = yield* sortRows(held, (row) => series.held(rows.time(row))!);
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    const number = windows[start]!;
    while (end < sorted.length && windows[end] === number) end++;
    yield* work(number, yield* sortByScore(rows, sorted.subarray(start, end)));
  }
}

/** A player's first row, best first, is the player's best. */
function* buildWindow(window: BoardWindow, byScore: KeyedRows, isFirst: (row: number) => boolean): Generator<void> {
  yield* window.games.build(byScore);
  const bests = yield* filter(byScore, isFirst);
  yield* window.players.build(bests);
  yield* window.bests.build(bests.rows);
}

/** Tells a window's first row of each player from the later ones: by a mark for each player, which the next window's replaces. */
export class FirstRows {
  readonly #rows: RowTable;
  readonly #marks: Int32Array;
  #window = 0;

  constructor(rows: RowTable) {
    this.#rows = rows;
    this.#marks = new Int32Array(rows.names.top);
  }

  ofNextWindow(): (row: number) => boolean {
    const mark = ++this.#window;
    return (row) => {
      const player = this.#rows.player(row);
      if (this.#marks[player] === mark) return false;
      this.#marks[player] = mark;
      return true;
    };
  }
}

/** The rows that pass, asked in their order. */
export function* filter({ rows, keys }: KeyedRows, passes: (row: number) => boolean): Generator<void, KeyedRows> {
  const passed = { rows: new Int32Array(rows.length), keys: keys.slice() };
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    if (passes(rows[i]!)) {
      passed.rows[count] = rows[i]!;
      passed.keys[count++] = keys[i]!;
    }
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return { rows: passed.rows.subarray(0, count), keys: passed.keys.subarray(0, count) };
}

/** Those of `candidates` that pass. */
export function* select(candidates: Int32Array, passes: (row: number) => boolean): Generator<void, Int32Array> {
  const kept = new Int32Array(candidates.length);
  let count = 0;
  for (let i = 0; i < candidates.length; i++) {
    if (passes(candidates[i]!)) kept[count++] = candidates[i]!;
    if (i % BLOCK === BLOCK - 1) yield;
  }
  return kept.subarray(0, count);
}
