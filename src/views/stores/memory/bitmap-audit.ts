import { type BitsQuery, bits, type DrawnQuery, drawn } from '../../bitmap/queries.ts';
import type { ViewQuery } from '../../view.ts';

/** Cells that one question asks for: many are asked at once, between two changes. */
const BLOCK = 100;

/** Cells one after the other as they are; 0 where there is no row. */
export interface CellStates {
  readonly codes: Uint8Array;
  readonly sequences: Float64Array;
  readonly times: Float64Array;
}

export interface CellsQuery extends ViewQuery<CellStates> {
  readonly ask: 'cells';
  readonly start: number;
  readonly count: number;
}

/** The keys of rows that are no cells. */
export interface AsideQuery extends ViewQuery<string[]> {
  readonly ask: 'aside';
}

/** What only audits ask, of a bitmap on any store. Is always answered. */
export type BitmapAuditQuery = CellsQuery | AsideQuery;

/** Questions that together tell all that a bitmap holds. */
export function* auditCells({
  width,
  height,
}: {
  width: number;
  height: number;
}): Generator<BitmapAuditQuery | BitsQuery | DrawnQuery> {
  yield { ask: 'aside' };
  const size = width * height;
  for (let start = 0; start < size; start += BLOCK) yield { ask: 'cells', start, count: Math.min(BLOCK, size - start) };
  yield bits();
  yield drawn();
}
