import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { type KeyedRows, sortRows } from './radix-sort.ts';
import type { RowTable } from './row-table.ts';
import type { WindowSeries } from './window-series.ts';

const BLOCK = 1 << 15;

/**
 * Builds all boards from the rows loaded, in time linear in their number: radix sorts, by time first, so that a window's rows lie
 * together. Looks into the table in the rows' own order where it can: at ten million rows each look elsewhere is a cache miss.
 * Yields often: the caller hands the turn back.
 */
export function* buildBoards(boards: BoardSet): Generator<void> {
  const { rows } = boards;
  yield* rows.index();
  const ranked = yield* select(rows.numbers(), (row) => rows.id(row) !== null && rows.ranks(row));
  const byTime = yield* sortByTime(rows, ranked);
  yield* buildAll(boards, byTime);
  for (const series of boards.series()) yield* buildSeries(boards, series, byTime);
}

/** The players' histories, and the boards of all time. */
function* buildAll({ rows, histories, overall }: BoardSet, byTime: KeyedRows): Generator<void> {
  const byScore = yield* sortByScore(rows, byTime.rows);
  const byPlayer = yield* sortRows(byScore.rows, rows.byPlayer.key);
  yield* histories.build(byPlayer);
  if (!overall) return;
  yield* overall.games.build(byScore);
  const isBest = yield* markBests(byPlayer, rows.top);
  yield* overall.players.build(yield* filter(byScore, (row) => isBest[row] === 1));
}

/** Sorts rows that are in the order of their numbers: earlier first, of equal times the lower id. Mostly they are so already. */
export function* sortByTime(rows: RowTable, some: Int32Array): Generator<void, KeyedRows> {
  // Least significant first: each sort is stable.
  const byId = yield* sortRows(some, (row) => rows.id(row)!);
  return yield* sortRows(byId.rows, rows.byScore.second);
}

/** Sorts rows that are in the order of their times: best first. */
export function sortByScore(rows: RowTable, byTime: Int32Array): Generator<void, KeyedRows> {
  return sortRows(byTime, rows.byScore.key);
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

function* buildSeries(boards: BoardSet, series: WindowSeries, byTime: KeyedRows): Generator<void> {
  const firsts = new FirstRows(boards.rows);
  yield* eachWindow(boards.rows, series, byTime, (number, byScore) =>
    buildWindow(boards.addWindow(series, number), byScore, firsts.ofNextWindow()),
  );
}

/** Works on the rows of each window that is held, best first. */
export function* eachWindow(
  rows: RowTable,
  series: WindowSeries,
  { rows: inTime, keys: times }: KeyedRows,
  work: (number: number, byScore: KeyedRows) => Generator<void>,
): Generator<void> {
  for (let start = 0, end = 0; start < inTime.length; start = end) {
    const number = series.held(times[start]!);
    end = firstOther(times, start, (time) => series.held(time) === number);
    if (number !== undefined) yield* work(number, yield* sortByScore(rows, inTime.subarray(start, end)));
  }
}

/** The first key from `start` on that is not as the first one; all that are lie together. By steps that double, then by halves. */
function firstOther(keys: KeyedRows['keys'], start: number, isSame: (key: number) => boolean): number {
  let step = 1;
  while (start + step < keys.length && isSame(keys[start + step]!)) step *= 2;
  let low = start + (step >>> 1);
  let high = Math.min(start + step, keys.length);
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (isSame(keys[middle]!)) low = middle;
    else high = middle;
  }
  return high;
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
