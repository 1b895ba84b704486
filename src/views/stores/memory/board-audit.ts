import type { Row, Value } from '../../../record/value.ts';
import { type Board, type BoardOf, type CountQuery, count, type RangeQuery, range } from '../../leaderboard/queries.ts';
import type { ViewQuery } from '../../view.ts';
import type { BoardSet } from './board-set.ts';

/** Rows, or entries, that one question asks for: many are asked at once, between two changes. */
const BLOCK = 50;
/** Empty windows between others that are asked about, at most. */
const MAX_WINDOWS = 400;

/** Rows by id, also those on no board; null where there is none, or where it is missing from its player's history. */
export interface RowsQuery extends ViewQuery<(Row | null)[]> {
  readonly ask: 'rows';
  readonly ids: readonly Value[];
}

/** Rows on boards at all, and the ids of rows that cannot be held. Is always answered, as `rows` is. */
export interface SizesQuery extends ViewQuery<{ ranked: number; aside: string[] }> {
  readonly ask: 'sizes';
}

/** What only audits ask, of a leaderboard on any store. */
export type BoardAuditQuery = RowsQuery | SizesQuery;

/** The state audited, as it is now. */
export interface Audited {
  readonly boards: BoardSet;
  /** Changes applied so far: how far entries may have moved since the last question. */
  readonly applied: number;
}

/** Questions that together tell all that these boards hold, and what others hold besides. The state may change in between. */
export function* auditBoards(state: () => Audited): Generator<BoardAuditQuery | CountQuery | RangeQuery> {
  yield { ask: 'sizes' };
  yield* auditRows(state);
  for (const window of windowsOf(state().boards)) {
    yield* auditBoard(state, { board: 'games', ...window });
    yield* auditBoard(state, { board: 'players', ...window });
  }
}

function* auditRows(state: () => Audited): Generator<RowsQuery> {
  for (let start = 0; start < state().boards.rows.top; start += BLOCK) {
    const { rows } = state().boards;
    const ids: Value[] = [];
    for (let row = start; row < Math.min(start + BLOCK, rows.top); row++)
      if (rows.id(row) !== null) ids.push(rows.id(row));
    if (ids.length > 0) yield { ask: 'rows', ids };
  }
}

/** Pages of a board. Entries that changes may have moved past the last page are asked for again. */
function* auditBoard(state: () => Audited, of: BoardOf): Generator<CountQuery | RangeQuery> {
  yield count(of);
  let [offset, asked, applied] = [0, 0, state().applied];
  while (offset < sizeOf(state().boards, of)) {
    yield range({ ...of, offset, limit: BLOCK });
    offset += BLOCK;
    asked += BLOCK;
    const moved = state().applied - applied;
    if (moved === 0) continue;
    // Never more than half of the way since the last time: however much changes, it comes to an end.
    offset -= Math.min(moved, asked >> 1);
    asked = 0;
    applied = state().applied;
  }
}

function sizeOf({ overall, daily, monthly }: BoardSet, { board, window, date }: BoardOf): number {
  if (window === 'overall') return overall?.[board].size ?? 0;
  const series = window === 'daily' ? daily : monthly;
  const number = [...(series?.windows.keys() ?? [])].find((each) => dateOf(window, each) === date);
  return number === undefined ? 0 : series!.windows.get(number)![board as Board].size;
}

/** Every window that is held and can be named, and the empty ones between them. */
function windowsOf({ overall, daily, monthly }: BoardSet): Omit<BoardOf, 'board'>[] {
  const windows: Omit<BoardOf, 'board'>[] = overall ? [{ window: 'overall' }] : [];
  for (const [window, series] of [['monthly', monthly] as const, ['daily', daily] as const]) {
    const held = [...(series?.windows.keys() ?? [])].sort((a, b) => a - b);
    const numbers = new Set(held);
    for (let i = 0, number = held[0]!; i < MAX_WINDOWS && number < held.at(-1)!; i++, number++) numbers.add(number);
    for (const number of numbers) {
      const date = dateOf(window, number);
      if (date) windows.push({ window, date });
    }
  }
  return windows;
}

/** The first day of a window; undefined in years that a date cannot be written of. */
function dateOf(window: 'monthly' | 'daily', number: number): string | undefined {
  const time = window === 'daily' ? number * 86_400_000 : Date.UTC(2000, number - 2000 * 12);
  const date = new Date(time);
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date.toISOString().slice(0, 10) : undefined;
}
