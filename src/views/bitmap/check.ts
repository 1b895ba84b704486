import { ClientError } from '../../record/errors.ts';
import type { BitmapShape } from './bitmap.ts';
import type { BitmapQuery } from './queries.ts';

/** Cells one question about changes may ask for: an answer is built in one turn of the event loop. */
export const MAX_CHANGES = 100_000;

/** Refuses what is no question to this bitmap, the same in memory and in SQL. Throws ClientError 400. */
export function checkQuery(shape: BitmapShape, query: BitmapQuery): void {
  if (query.ask === 'changes') {
    check('after', query.after, 0, Number.MAX_SAFE_INTEGER);
    check('limit', query.limit, 1, MAX_CHANGES);
  }
  if (query.ask === 'region') {
    check('x', query.x, 0, shape.width - 1);
    check('y', query.y, 0, shape.height - 1);
    check('width', query.width, 1, shape.width - query.x);
    check('height', query.height, 1, shape.height - query.y);
  }
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new ClientError(400, `${name} must be a whole number from ${least} to ${most}.`);
}
