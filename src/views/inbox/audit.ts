import type { Value } from '../../record/value.ts';
import type { ProfilesAudit } from '../profiles-audit.ts';
import type { ViewQuery } from '../view.ts';

type Asks<Ask extends string, Rest = unknown> = ViewQuery<unknown> & { readonly ask: Ask } & Rest;

/** What `verify` asks of an inbox in a store, and of one in memory. Null stands for what is not there. */
export type InboxAudit =
  /** Conversation and author of each message. */
  | Asks<'messages held', { readonly ids: readonly Value[] }>
  /** The id of the last message of each conversation. */
  | Asks<'last ids', { readonly conversations: readonly Value[] }>
  /** A conversation's last message as lists show it; undefined where that is not held. */
  | Asks<'last message', { readonly conversation: Value }>
  /** Of each membership its conversation, member, read mark, number of unread messages, and whether it is on a list. */
  | Asks<'memberships held', { readonly ids: readonly Value[] }>
  /** How many messages and memberships there are. */
  | Asks<'inbox counts'>
  | ProfilesAudit;
