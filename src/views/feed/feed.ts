import type { Row, Value } from '../../record/value.ts';
import type { ColumnOf } from '../column.ts';
import { MemoryFeed } from '../stores/memory/feed.ts';
import { StoredFeed } from '../stores/valkey/feed.ts';
import type { ViewDefinition } from '../view.ts';
import type { FeedQuery } from './queries.ts';
import { answerFromRecord } from './sql.ts';

export interface FeedOptions<R extends object = Row, P extends object = Row> {
  /** `schema.name` */
  readonly table: string;
  /** The primary key, an integer: newer rows have higher ones, whatever the clock says. */
  readonly id: ColumnOf<R, number>;
  readonly author: ColumnOf<R, string | number>;
  /** A timestamp from which on the row is not shown; NULL never comes. */
  readonly expires: ColumnOf<R, number>;
  /** Rows in which this column is not NULL (replies) are not on the feed. */
  readonly parent?: ColumnOf<R, Value>;
  /** Further columns that entries show. */
  readonly keep?: readonly ColumnOf<R, Value>[];
  /** What is shown of the author: joined at every read, so that a changed name shows at once. */
  readonly profiles: {
    readonly table: string;
    /** The primary key, which `author` holds. */
    readonly id: ColumnOf<P, string | number>;
    readonly keep: readonly ColumnOf<P, Value>[];
  };
  /** The newest rows that the view holds; further down the record answers. 10,000 unless told. */
  readonly hold?: number;
}

/** A feed as its store and its SQL see it. */
export interface FeedShape {
  readonly table: string;
  readonly id: string;
  readonly author: string;
  readonly expires: string;
  readonly parent: string | undefined;
  readonly keep: readonly string[];
  /** What entries show: id, author, expires, and those kept. */
  readonly shown: readonly string[];
  readonly profiles: { readonly table: string; readonly id: string; readonly keep: readonly string[] };
  readonly hold: number;
}

/**
 * The newest rows of a table, newest first, without those that have expired by the reader's clock, each with its author's
 * profile. The view holds the newest `hold` rows and the profiles, however long the table is.
 *
 * The record wants an index on the id of the rows that are on the feed.
 */
export function feed<R extends object = Row, P extends object = Row>(
  options: FeedOptions<NoInfer<R>, NoInfer<P>>,
): ViewDefinition<FeedQuery> {
  const { table, id, author, expires, parent, keep = [], profiles, hold = 10_000 } = options;
  const shown = [id, author, expires, ...keep];
  const shape: FeedShape = { table, id, author, expires, parent, keep, shown, profiles, hold };
  return {
    kind: 'feed',
    sources: [
      { table, columns: [...new Set([...shown, ...(parent ? [parent] : [])])] },
      { table: profiles.table, columns: [profiles.id, ...profiles.keep] },
    ],
    build: () => new MemoryFeed({ shape }),
    stored: new StoredFeed({ shape }),
    answerFromRecord: (reader, queries) => answerFromRecord(shape, reader, queries),
  };
}
