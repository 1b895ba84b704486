import type { Key } from '../lazy.ts';
import type { ViewQuery } from '../view.ts';

/** Rows by their keys, in the order of the keys, repeats repeated: each as JSON text, null where there is none. */
export interface RowsQuery extends ViewQuery<(string | null)[]> {
  readonly ask: 'rows';
  readonly ids: readonly Key[];
}

/** Asks for rows by their keys, all of them at one position. */
export function rows(ids: readonly Key[]): RowsQuery {
  return { ask: 'rows', ids };
}

/** What `verify` asks of a cache in a store, and of one in memory: a row as of its position, undefined where it is not held. */
export interface HeldRowQuery extends ViewQuery<string | null> {
  readonly ask: 'row held';
  readonly id: Key;
}
