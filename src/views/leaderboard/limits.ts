import { ClientError } from '../../record/errors.ts';
import type { Value } from '../../record/value.ts';
import type { LeaderboardQuery } from './queries.ts';

/** Entries one query may ask for: an answer is built in one turn of the event loop. */
export const MAX_LIMIT = 10_000;

/** Refuses numbers that are no counts, the same in memory and in SQL. Throws ClientError 400. */
export function checkQuery(query: LeaderboardQuery): void {
  if (query.ask === 'range') checkCount('offset', query.offset, Number.MAX_SAFE_INTEGER);
  if (query.ask === 'range' || query.ask === 'history') checkCount('limit', query.limit, MAX_LIMIT);
  if (query.ask === 'standing') checkCount('around', query.around, MAX_LIMIT);
  if (query.ask === 'standing' && query.board === 'games' && !Number.isSafeInteger(query.member)) {
    throw new ClientError(400, `An entry of this board is named by its id, a whole number.`);
  }
}

function checkCount(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return;
  throw new ClientError(400, `The ${name} must be a whole number from 0 to ${most}.`);
}

/** A name as it could be in the table, or undefined: PostgreSQL's text holds no NUL. */
export function nameOf(member: Value): string | undefined {
  const name = typeof member === 'string' || typeof member === 'number' ? String(member) : undefined;
  return name?.includes('\0') ? undefined : name;
}
