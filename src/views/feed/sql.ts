import { quoteIdentifier as quote, quoteTable } from '../../record/copy.ts';
import type { RecordReader } from '../../record/record.ts';
import { microsToIso } from '../../record/time.ts';
import type { FeedShape } from './feed.ts';
import { checkQuery } from './limits.ts';
import type { FeedEntry, FeedQuery } from './queries.ts';

/** Every query answered with SQL, by the same rules as in memory. All in one snapshot: `reader` is inside one. */
export async function answerFromRecord(
  shape: FeedShape,
  reader: RecordReader,
  queries: readonly FeedQuery[],
): Promise<FeedEntry[][]> {
  const answers: FeedEntry[][] = [];
  for (const query of queries) answers.push(await newest(shape, reader, query));
  return answers;
}

async function newest(shape: FeedShape, reader: RecordReader, query: FeedQuery): Promise<FeedEntry[]> {
  checkQuery(query);
  const { limit, now, before } = query;
  const { profiles, parent, shown } = shape;
  const entry = (column: string) => `entry.${quote(column)}`;
  const joined = [profiles.id, ...profiles.keep];
  const conditions = [
    ...(parent ? [`${entry(parent)} is null`] : []),
    `(${entry(shape.expires)} is null or ${entry(shape.expires)} > $2)`,
    ...(before === undefined ? [] : [`${entry(shape.id)} < $3`]),
  ];
  const rows = await reader.query(
    `select ${shown.map((column, i) => `${entry(column)} as row_${i}`).join(', ')},
            profile.${quote(profiles.id)} is not null as known,
            ${joined.map((column, i) => `profile.${quote(column)} as profile_${i}`).join(', ')}
       from ${quoteTable(shape.table)} entry
       left join ${quoteTable(profiles.table)} profile on profile.${quote(profiles.id)} = ${entry(shape.author)}
      where ${conditions.join(' and ')}
      order by ${entry(shape.id)} desc limit $1`,
    [limit, microsToIso(now), ...(before === undefined ? [] : [before])],
  );
  return rows.map((row) => ({
    row: Object.fromEntries(shown.map((column, i) => [column, row[`row_${i}`]])),
    profile: row.known ? Object.fromEntries(joined.map((column, i) => [column, row[`profile_${i}`]])) : null,
  }));
}
