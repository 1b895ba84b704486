import type { Row, Value } from '../../record/value.ts';
import type { ColumnOf } from '../column.ts';
import { MemoryInbox } from '../stores/memory/inbox.ts';
import { StoredInbox } from '../stores/valkey/inbox.ts';
import type { ViewDefinition } from '../view.ts';
import type { InboxQuery } from './queries.ts';
import { answerFromRecord } from './sql.ts';

export interface InboxOptions<M extends object = Row, B extends object = Row, P extends object = Row> {
  readonly messages: {
    /** `schema.name` */
    readonly table: string;
    /** The primary key, an integer: within a conversation it grows in the order of the commits. The clock plays no part. */
    readonly id: ColumnOf<M, number>;
    readonly conversation: ColumnOf<M, string | number>;
    readonly author: ColumnOf<M, string | number>;
    /** Further columns that a conversation's last message shows. */
    readonly keep?: readonly ColumnOf<M, Value>[];
  };
  /** One row for each member of each conversation. */
  readonly members: {
    readonly table: string;
    /** The primary key: an integer. */
    readonly id: ColumnOf<B, number>;
    readonly conversation: ColumnOf<B, string | number>;
    readonly member: ColumnOf<B, string | number>;
    /** The read mark: the id of the last message that the member has read. */
    readonly read: ColumnOf<B, number>;
  };
  /** What is shown of a member: joined at every read, so that a changed name shows in old conversations at once. */
  readonly profiles: {
    readonly table: string;
    /** The primary key, which `member` holds. */
    readonly id: ColumnOf<P, string | number>;
    readonly keep: readonly ColumnOf<P, Value>[];
  };
}

/** An inbox as its store and its SQL see it. */
export interface InboxShape {
  readonly messages: {
    readonly table: string;
    readonly id: string;
    readonly conversation: string;
    readonly author: string;
    readonly keep: readonly string[];
  };
  readonly members: {
    readonly table: string;
    readonly id: string;
    readonly conversation: string;
    readonly member: string;
    readonly read: string;
  };
  readonly profiles: { readonly table: string; readonly id: string; readonly keep: readonly string[] };
}

/**
 * For each member the conversations, the latest message first, with the last message, the number of unread ones and the other
 * members' profiles, all derived from messages, read marks and profiles: they cannot disagree.
 *
 * Memory holds about 25 bytes a message (whose it is and where it stands, for exact counts whatever is deleted or unread) and,
 * of each conversation, the last message. Where that one is deleted, the text of the one before is not held: until the next
 * message, lists with that conversation are answered from the record. Older pages of messages are the record's.
 *
 * The record wants an index on `messages (conversation, id)`, one on `members (member)` and one on `members (conversation)`.
 */
export function inbox<M extends object = Row, B extends object = Row, P extends object = Row>(
  options: InboxOptions<NoInfer<M>, NoInfer<B>, NoInfer<P>>,
): ViewDefinition<InboxQuery> {
  const shape: InboxShape = { ...options, messages: { keep: [], ...options.messages } };
  const { messages, members, profiles } = shape;
  return {
    kind: 'inbox',
    sources: [
      { table: messages.table, columns: [messages.id, messages.conversation, messages.author, ...messages.keep] },
      { table: members.table, columns: [members.id, members.conversation, members.member, members.read] },
      { table: profiles.table, columns: [profiles.id, ...profiles.keep] },
    ],
    build: () => new MemoryInbox({ shape }),
    stored: new StoredInbox({ shape }),
    answerFromRecord: (reader, queries) => answerFromRecord(shape, reader, queries),
  };
}
