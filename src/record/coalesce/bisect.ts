import { STALE_PLAN } from '../connections.ts';
import { isConflict, sqlState } from '../failures.ts';

/** Tries of a batch that others were in the way of (a deadlock with hand-made SQL, say). */
const TRIES = 5;

/** Error classes of PostgreSQL that no row of the batch is to blame for: all rows would fail alike. */
const WHOLE_BATCH = new Set('08 0A 25 26 28 3D 3F 42 53 54 55 57 58 F0 XX'.split(' '));

/**
 * Runs a batch as one statement, and where one of its rows is at fault in halves, so that only the bad rows fail.
 * `run` must either do the whole batch or leave no trace; `fail` is told each item that failed, with its error.
 */
export async function runBisecting<Item>(
  batch: readonly Item[],
  run: (batch: readonly Item[]) => Promise<void>,
  fail: (items: readonly Item[], error: unknown) => void,
): Promise<void> {
  const error = await failureOf(batch, run);
  if (error === undefined) return;
  if (batch.length === 1 || !isFaultOfARow(error)) return fail(batch, error);
  const middle = batch.length >> 1;
  await runBisecting(batch.slice(0, middle), run, fail);
  await runBisecting(batch.slice(middle), run, fail);
}

async function failureOf<Item>(
  batch: readonly Item[],
  run: (batch: readonly Item[]) => Promise<void>,
): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    try {
      await run(batch);
      return undefined;
    } catch (error) {
      if (tries === TRIES || !isTransient(error)) return error;
    }
  }
}

function isTransient(error: unknown): boolean {
  return isConflict(error) || sqlState(error) === STALE_PLAN;
}

/** Of class 54 (limits of the statement) the one that is a row's: a value too long for its index, or for its type. */
const TOO_LONG = '54000';

/** Whether a row of the statement is to blame, and the others would do. */
export function isFaultOfARow(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state === TOO_LONG || !WHOLE_BATCH.has(state.slice(0, 2)));
}
