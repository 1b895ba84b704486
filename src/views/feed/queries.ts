import type { Row } from '../../record/value.ts';
import type { ViewQuery } from '../view.ts';

/** An entry of a feed with its author's profile as it is now; null where there is none. */
export interface FeedEntry {
  readonly row: Row;
  readonly profile: Row | null;
}

/** The newest entries that have not expired at `now`, newest first. */
export interface NewestQuery extends ViewQuery<FeedEntry[]> {
  readonly ask: 'newest';
  readonly limit: number;
  /** Microseconds since 1970 UTC. The reader's clock: the view itself has none. */
  readonly now: number;
  /** Only entries with a lower id: the next page after the one that ended there. */
  readonly before?: number | undefined;
}

export type FeedQuery = NewestQuery;

export function newest(of: { limit: number; now: number; before?: number | undefined }): NewestQuery {
  return { ask: 'newest', ...of };
}
