import { microsToIso } from '../../record/time.ts';
import type { Row, Value } from '../../record/value.ts';
import { INCOMPLETE } from '../unheld.ts';
import type { LeaderboardShape } from './leaderboard.ts';

/** Why memory cannot hold a row exactly as the record has it, with what is expected; undefined where it can. */
export function unfitness(shape: LeaderboardShape, row: Row): string | undefined {
  const { id, player, score, time, columns } = shape;
  if (!Number.isSafeInteger(row[id])) return unfit(id, row[id], 'a whole number of at most 2^53 - 1');
  for (const column of columns) if (row[column] === undefined) return INCOMPLETE;
  if (!isName(row[player])) return unfit(player, row[player], 'text or an integer of at most 2^53 - 1');
  if (!isScore(row[score]))
    return unfit(score, row[score], 'an integer of at most 2^53 - 1 or a floating-point number');
  if (!isTime(row[time])) return unfit(time, asTime(row[time]), 'a timestamp from 1684-07-29 to 2255-06-04');
  return undefined;
}

function unfit(column: string, found: Value, expected: string): string {
  return `the column ${column} has the ${typeof found} ${String(found).slice(0, 40)}; expected ${expected}`;
}

function isName(value: Value): boolean {
  return value === null || typeof value === 'string' || Number.isSafeInteger(value);
}

function isScore(value: Value): boolean {
  return value === null || (typeof value === 'number' && !Number.isNaN(value));
}

function isTime(value: Value): boolean {
  return value === null || Number.isSafeInteger(value) || value === Infinity || value === -Infinity;
}

/** As the record shows it: microseconds say little to a person. */
function asTime(value: Value): Value {
  return typeof value === 'number' && !Number.isNaN(value) ? microsToIso(value) : value;
}
