import type { ViewQuery } from '../view.ts';

/** A rectangle of cells; row by row, one byte a cell: 0 is clear, otherwise the colour + 1. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly codes: Uint8Array;
  /** Of the newest change of the whole bitmap; 0 where there was none. */
  readonly sequence: number;
}

/** The whole bitmap with one bit a cell, set or clear: rows from the top, padded to whole bytes, the left cell in the highest bit. */
export interface Bits {
  readonly width: number;
  readonly height: number;
  readonly bits: Uint8Array;
  readonly sequence: number;
  /** Of the newest change; 0 where there was none. */
  readonly time: number;
}

/** Cells that changed, each once and as it is now, in the order of their newest changes. */
export interface CellChanges {
  readonly cells: Uint32Array;
  /** As in {@link Pixels}. */
  readonly codes: Uint8Array;
  /** Of the last cell here; what was asked from where there is none. The next question goes on from it. */
  readonly sequence: number;
  /** Nothing changed after the last cell here. */
  readonly complete: boolean;
}

export interface SnapshotQuery extends ViewQuery<Pixels> {
  readonly ask: 'snapshot';
}

export interface BitsQuery extends ViewQuery<Bits> {
  readonly ask: 'bits';
}

export interface RegionQuery extends ViewQuery<Pixels> {
  readonly ask: 'region';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnQuery extends ViewQuery<number> {
  readonly ask: 'drawn';
}

export interface ChangesQuery extends ViewQuery<CellChanges> {
  readonly ask: 'changes';
  readonly after: number;
  readonly limit: number;
}

export interface SequenceQuery extends ViewQuery<number> {
  readonly ask: 'sequence';
  readonly at: number;
}

export type BitmapQuery = SnapshotQuery | BitsQuery | RegionQuery | DrawnQuery | ChangesQuery | SequenceQuery;

/** The whole bitmap with its colours. */
export function snapshot(): SnapshotQuery {
  return { ask: 'snapshot' };
}

/** The whole bitmap without colours: an eighth of a byte a cell. */
export function bits(): BitsQuery {
  return { ask: 'bits' };
}

/** The cells of a rectangle, which must lie in the bitmap (400). */
export function region(of: { x: number; y: number; width: number; height: number }): RegionQuery {
  return { ask: 'region', ...of };
}

/** How many cells are set. */
export function drawn(): DrawnQuery {
  return { ask: 'drawn' };
}

/** The cells changed after a sequence number, oldest change first, at most `limit`. */
export function changes(of: { after: number; limit: number }): ChangesQuery {
  return { ask: 'changes', ...of };
}

/** The highest sequence number among the cells whose newest change is from `at` (microseconds) or before; 0 where there is none. */
export function sequenceAt(at: number): SequenceQuery {
  return { ask: 'sequence', at };
}
