import type { Row, Value } from '../../record/value.ts';
import type { ViewQuery } from '../view.ts';

/** Somebody in a conversation, with the profile as it is now; null where there is none. */
export interface Participant {
  readonly member: Value;
  readonly profile: Row | null;
}

/** A conversation as one of its members sees it. */
export interface Listed {
  readonly conversation: Value;
  /** The last message: its id, its author, and the columns that are kept. */
  readonly last: Row;
  /** Messages of others after the member's read mark. */
  readonly unread: number;
  /** The other members, in the order of their membership rows. */
  readonly others: readonly Participant[];
}

/** One member's conversations that have a message, the latest message first. */
export interface ConversationsQuery extends ViewQuery<Listed[]> {
  readonly ask: 'conversations';
  readonly member: Value;
  readonly limit: number;
  /** Only those whose last message has a lower id: the next page after the one that ended there. */
  readonly before?: number | undefined;
}

/** A conversation's membership as the record has it. */
export interface Membership extends Participant {
  /** Messages up to this id are read; null where none is. */
  readonly read: number | null;
}

/** Who is in a conversation, in the order of the membership rows. Empty where there is no such conversation. */
export interface MembersQuery extends ViewQuery<Membership[]> {
  readonly ask: 'members';
  readonly conversation: Value;
}

/** One profile, or null. */
export interface ProfileQuery extends ViewQuery<Row | null> {
  readonly ask: 'profile';
  readonly id: Value;
}

export type InboxQuery = ConversationsQuery | MembersQuery | ProfileQuery;

export function conversations(of: { member: Value; limit: number; before?: number | undefined }): ConversationsQuery {
  return { ask: 'conversations', ...of };
}

export function members(of: { conversation: Value }): MembersQuery {
  return { ask: 'members', ...of };
}

export function profile(of: { id: Value }): ProfileQuery {
  return { ask: 'profile', ...of };
}
