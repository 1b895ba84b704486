import type { Row } from '../../record/value.ts';
import type { FeedShape } from './feed.ts';
import type { FeedEntry, FeedQuery } from './queries.ts';

/** The feed in the simplest way there is. What the tests compare with. */
export function modelAnswer(
  shape: FeedShape,
  rows: { readonly entries: readonly Row[]; readonly profiles: readonly Row[] },
  { limit, now, before }: FeedQuery,
): FeedEntry[] {
  const { id, author, expires, parent, shown, profiles } = shape;
  return rows.entries
    .filter((row) => parent === undefined || row[parent] === null)
    .filter((row) => row[expires] === null || (row[expires] as number) > now)
    .filter((row) => before === undefined || (row[id] as number) < before)
    .sort((a, b) => (b[id] as number) - (a[id] as number))
    .slice(0, limit)
    .map((row) => {
      const profile = rows.profiles.find((one) => one[profiles.id] === row[author]);
      return { row: pick(row, shown), profile: profile ? pick(profile, [profiles.id, ...profiles.keep]) : null };
    });
}

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
