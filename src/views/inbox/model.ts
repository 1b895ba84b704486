import type { Row } from '../../record/value.ts';
import type { InboxShape } from './inbox.ts';
import type { InboxQuery, Listed } from './queries.ts';

export interface InboxRows {
  readonly messages: readonly Row[];
  readonly members: readonly Row[];
  readonly profiles: readonly Row[];
}

/** The inbox in the simplest way there is: filter, sort and count all rows for each query. What the tests compare with. */
export function modelAnswer(shape: InboxShape, rows: InboxRows, query: InboxQuery): unknown {
  const { messages, members, profiles } = shape;
  const profileOf = (id: unknown): Row | null => {
    const found = rows.profiles.find((row) => row[profiles.id] === id);
    return found ? pick(found, [profiles.id, ...profiles.keep]) : null;
  };
  const entries = [...rows.members]
    .sort((a, b) => (a[members.id] as number) - (b[members.id] as number))
    .filter((row) => row[members.member] !== null && row[members.conversation] !== null);
  if (query.ask === 'profile') return profileOf(query.id);
  if (query.ask === 'members') {
    const its = entries.filter((row) => row[members.conversation] === query.conversation);
    return its.map((row) => ({
      member: row[members.member],
      profile: profileOf(row[members.member]),
      read: row[members.read],
    }));
  }
  const listed: Listed[] = [];
  for (const entry of entries.filter((row) => row[members.member] === query.member)) {
    const conversation = entry[members.conversation];
    const its = rows.messages.filter((row) => row[messages.conversation] === conversation);
    const last = its.toSorted((a, b) => (a[messages.id] as number) - (b[messages.id] as number)).at(-1);
    if (!last) continue;
    const read = (entry[members.read] as number | null) ?? Number.NEGATIVE_INFINITY;
    const unread = its.filter(
      (row) =>
        row[messages.author] !== null && row[messages.author] !== query.member && (row[messages.id] as number) > read,
    );
    const others = entries.filter(
      (row) => row[members.conversation] === conversation && row[members.member] !== query.member,
    );
    listed.push({
      conversation,
      last: pick(last, [messages.id, messages.author, ...messages.keep]),
      unread: unread.length,
      others: others.map((row) => ({ member: row[members.member], profile: profileOf(row[members.member]) })),
    });
  }
  const idOf = ({ last }: Listed) => last[messages.id] as number;
  return listed
    .filter((one) => idOf(one) < (query.before ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => idOf(b) - idOf(a))
    .slice(0, query.limit);
}

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
