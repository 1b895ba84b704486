import { ClientError } from '../../record/errors.ts';
import type { FeedQuery } from './queries.ts';

/** Entries one query may ask for: an answer is built in one turn of the event loop. */
export const MAX_ENTRIES = 1000;

/** Refuses numbers that are no counts, the same in memory and in SQL. Throws ClientError 400. */
export function checkQuery({ limit, before = 0 }: FeedQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 0 || limit > MAX_ENTRIES)
    throw new ClientError(400, `The limit must be a whole number from 0 to ${MAX_ENTRIES}.`);
  if (!Number.isSafeInteger(before)) throw new ClientError(400, 'A page begins before the id of an entry.');
}
