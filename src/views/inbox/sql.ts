import { quoteIdentifier as quote, quoteTable } from '../../record/copy.ts';
import type { RecordReader } from '../../record/record.ts';
import type { Row, Value } from '../../record/value.ts';
import type { InboxShape } from './inbox.ts';
import { checkQuery } from './limits.ts';
import type { ConversationsQuery, InboxQuery, Listed, Membership, Participant } from './queries.ts';

/** Every query answered with SQL, by the same rules as in memory. All in one snapshot: `reader` is inside one. */
export async function answerFromRecord(
  shape: InboxShape,
  reader: RecordReader,
  queries: readonly InboxQuery[],
): Promise<unknown[]> {
  const sql = new InboxSql({ shape, reader });
  const answers: unknown[] = [];
  for (const query of queries) answers.push(await sql.answer(query));
  return answers;
}

/** A membership row with its member's profile, prefixed apart. */
interface MemberRow {
  readonly conversation: Value;
  readonly member: Value;
  readonly read: number | null;
  readonly profile: Row | null;
}

class InboxSql {
  readonly #shape: InboxShape;
  readonly #reader: RecordReader;

  constructor(options: { shape: InboxShape; reader: RecordReader }) {
    this.#shape = options.shape;
    this.#reader = options.reader;
  }

  async answer(query: InboxQuery): Promise<unknown> {
    checkQuery(query);
    if (query.ask === 'conversations') return this.#conversations(query);
    if (query.ask === 'profile') return this.#profile(query.id);
    const rows = await this.#members([query.conversation]);
    return rows.map(({ member, read, profile }): Membership => ({ member, profile, read }));
  }

  async #conversations({ member, limit, before }: ConversationsQuery): Promise<Listed[]> {
    const { messages, members } = this.#shape;
    const id = quote(messages.id);
    const its = [messages.id, messages.author, ...messages.keep];
    const mine = quote(members.conversation);
    const rows = await this.#reader.query(
      `with listed as (
         select me.${mine} as conversation, me.${quote(members.id)} as entry, me.${quote(members.member)} as member,
                me.${quote(members.read)} as read, last.${id} as last_id
           from ${quoteTable(members.table)} me
           cross join lateral (select ${id} from ${quoteTable(messages.table)} sent
             where sent.${quote(messages.conversation)} = me.${mine} order by ${id} desc limit 1) last
          where me.${quote(members.member)} = $1 ${before === undefined ? '' : `and last.${id} < $3`}
          order by last.${id} desc, me.${quote(members.id)} limit $2)
       select listed.conversation,
              (select count(*) from ${quoteTable(messages.table)} sent
                where sent.${quote(messages.conversation)} = listed.conversation
                  and sent.${quote(messages.author)} <> listed.member
                  and (listed.read is null or sent.${id} > listed.read)) as unread,
              ${its.map((column, i) => `last.${quote(column)} as last_${i}`).join(', ')}
         from listed join ${quoteTable(messages.table)} last on last.${id} = listed.last_id
        order by listed.last_id desc, listed.entry`,
      [member, limit, ...(before === undefined ? [] : [before])],
    );
    const others = await this.#othersOf(rows, member);
    return rows.map((row) => ({
      conversation: row.conversation,
      last: Object.fromEntries(its.map((column, i) => [column, row[`last_${i}`]])),
      unread: row.unread as number,
      others: others.get(row.conversation) ?? [],
    }));
  }

  async #othersOf(rows: readonly Row[], me: Value): Promise<Map<Value, Participant[]>> {
    const found = new Map<Value, Participant[]>();
    if (rows.length === 0) return found;
    for (const { conversation, member, profile } of await this.#members(rows.map((row) => row.conversation))) {
      if (member === me) continue;
      found.set(conversation, [...(found.get(conversation) ?? []), { member, profile }]);
    }
    return found;
  }

  async #members(conversations: readonly Value[]): Promise<MemberRow[]> {
    const { members, profiles } = this.#shape;
    const shown = [profiles.id, ...profiles.keep];
    const rows = await this.#reader.query(
      `select entry.${quote(members.conversation)} as conversation, entry.${quote(members.member)} as member,
              entry.${quote(members.read)} as read, profile.${quote(profiles.id)} is not null as known,
              ${shown.map((column, i) => `profile.${quote(column)} as profile_${i}`).join(', ')}
         from ${quoteTable(members.table)} entry
         left join ${quoteTable(profiles.table)} profile
           on profile.${quote(profiles.id)} = entry.${quote(members.member)}
        where entry.${quote(members.conversation)} = any($1) and entry.${quote(members.member)} is not null
        order by entry.${quote(members.id)}`,
      [conversations],
    );
    return rows.map((row) => ({
      conversation: row.conversation,
      member: row.member,
      read: row.read as number | null,
      profile: row.known ? Object.fromEntries(shown.map((column, i) => [column, row[`profile_${i}`]])) : null,
    }));
  }

  async #profile(id: Value): Promise<Row | null> {
    const { profiles } = this.#shape;
    const columns = [profiles.id, ...profiles.keep].map(quote).join(', ');
    const [row] = await this.#reader.query(
      `select ${columns} from ${quoteTable(profiles.table)} where ${quote(profiles.id)} = $1`,
      [id],
    );
    return row ?? null;
  }
}
