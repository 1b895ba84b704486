import type pg from 'pg';
import { cutOff } from '../../record/connections.ts';

/** How long the server may take to answer one of the feed's own questions, each of which takes milliseconds. */
export const ANSWER_MS = 10_000;
/** How long it may take to let a connection go. */
const LEAVE_MS = 2000;

/**
 * Waits for an answer on `client`. One that does not come in time (the server is frozen, the network swallows everything) ends the
 * connection, and with it all that was asked on it.
 */
export async function inTime<T>(client: pg.Client, answer: Promise<T>, withinMs = ANSWER_MS): Promise<T> {
  const silent = () => cutOff(client, new Error(`PostgreSQL did not answer within ${withinMs} ms`));
  const timer = setTimeout(silent, withinMs);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the connection in good order; without a word where the server does not let it go. */
export async function leave(client: pg.Client): Promise<void> {
  await inTime(client, client.end(), LEAVE_MS).catch(() => {});
}
