import type { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import { Firsts } from './firsts.ts';
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
  const byId = yield* rows.index();
  const ranked = yield* select(byId, (row) => rows.id(row) !== null && rows.ranks(row));
  const byTime = yield* sortByTime(rows, ranked);
  const firsts = yield* buildAll(boards, byTime);
  for (const series of boards.series())
    yield* eachWindow(rows, series, byTime, (number, byScore) =>
      buildWindow(boards.addWindow(series, number), byScore, (row) => firsts.isOf(series, row)),
    );
}

/** The players' histories, and the boards of all time. Returns which rows are firsts. */
function* buildAll(boards: BoardSet, byTime: KeyedRows): Generator<void, Firsts> {
  const { rows, histories, overall } = boards;
  const byScore = yield* sortByScore(rows, byTime.rows);
  const byPlayer = yield* sortRows(byScore.rows, rows.byPlayer.key);
  yield* histories.build(byPlayer);
  const firsts = yield* Firsts.of(boards, byPlayer);
  if (!overall) return firsts;
  yield* overall.games.build(byScore);
  yield* overall.players.build(yield* filter(byScore, (row) => firsts.isOfAll(row)));
  return firsts;
}

/** Sorts rows that are in the order of their ids: earlier first. Mostly they are so already. */
export function sortByTime(rows: RowTable, byId: Int32Array): Generator<void, KeyedRows> {
  return sortRows(byId, rows.byScore.second);
}

/** Sorts rows that are in the order of their times: best first. */
export function sortByScore(rows: RowTable, byTime: Int32Array): Generator<void, KeyedRows> {
  return sortRows(byTime, rows.byScore.key);
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

/** The rows that pass, asked in their order. */
export function* filter({ rows, keys }: KeyedRows, passes: (row: number) => boolean): Generator<void, KeyedRows> {
  const Keys = keys.constructor as new (length: number) => typeof keys;
  const passed = { rows: new Int32Array(rows.length), keys: new Keys(rows.length) };
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
