import { ClientError } from '../../record/errors.ts';
import type { InboxQuery } from './queries.ts';

/** Conversations one query may ask for: an answer is built in one turn of the event loop. */
export const MAX_CONVERSATIONS = 1000;

/** Refuses numbers that are no counts, the same in memory and in SQL. Throws ClientError 400. */
export function checkQuery(query: InboxQuery): void {
  if (query.ask !== 'conversations') return;
  const { limit, before = 0 } = query;
  if (!Number.isSafeInteger(limit) || limit < 0 || limit > MAX_CONVERSATIONS)
    throw new ClientError(400, `The limit must be a whole number from 0 to ${MAX_CONVERSATIONS}.`);
  if (!Number.isSafeInteger(before)) throw new ClientError(400, 'A page begins before the id of a message.');
}
