import type { ProfilesAudit } from '../profiles-audit.ts';
import type { ViewQuery } from '../view.ts';

/** The rows held above an id (from the lowest: null) and up to another (to the highest: null), in the order of the ids. */
export interface BetweenQuery extends ViewQuery<unknown> {
  readonly ask: 'between';
  readonly above: number | null;
  readonly to: number | null;
}

/** What `verify` asks of a feed in a store, and of one in memory. */
export type FeedAudit = BetweenQuery | ProfilesAudit;
