import { bitmap } from '../../src/index.ts';
import { HEIGHT, PALETTE, WIDTH } from './canvas.ts';

/** A row of `scribble.cells`, as changes carry it. */
export interface Cell {
  readonly index: number;
  readonly color: number | null;
  readonly point_id: number;
  /** Microseconds since 1970 UTC. */
  readonly drawn_at: number;
}

export const views = {
  canvas: bitmap<Cell>({
    ...{ table: 'scribble.cells', cell: 'index', color: 'color', sequence: 'point_id', time: 'drawn_at' },
    ...{ width: WIDTH, height: HEIGHT, colors: PALETTE.length },
  }),
};
