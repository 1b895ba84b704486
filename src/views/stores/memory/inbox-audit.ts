import type { Row, Value } from '../../../record/value.ts';
import type { InboxAudit } from '../../inbox/audit.ts';
import { blocks } from '../../profiles-audit.ts';
import { type InboxSide, messageIds } from './inbox-compare.ts';
import { NOT_HELD } from './inbox-lists.ts';
import type { Profiles } from './profiles.ts';

/** Questions that together tell all that is held, each of them asked at one instant. */
export function* inboxAudit(side: InboxSide, profiles: Profiles): Generator<InboxAudit> {
  const { messages, lists } = side;
  for (const ids of blocks(messageIds(messages))) yield { ask: 'messages held', ids };
  for (const conversations of blocks(lists.conversations.keys())) yield { ask: 'last ids', conversations };
  for (const conversation of lists.conversations.keys()) yield { ask: 'last message', conversation };
  for (const ids of blocks(lists.entries.keys())) yield { ask: 'memberships held', ids };
  yield { ask: 'inbox counts' };
  yield* profiles.audit();
}

/** What a state in memory answers. */
export function inboxAudited(side: InboxSide, profiles: Profiles, query: InboxAudit): unknown {
  const { messages, lists } = side;
  switch (query.ask) {
    case 'messages held':
      return query.ids.map((id) => messageOf(side, id));
    case 'last ids':
      return query.conversations.map((conversation) => lists.conversations.get(conversation)?.lastId ?? null);
    case 'last message':
      return lastOf(side, query.conversation);
    case 'memberships held':
      return query.ids.map((id) => membershipOf(side, id as number));
    case 'inbox counts':
      return [messages.count, lists.entries.size];
    default:
      return profiles.audited(query);
  }
}

function messageOf({ messages, threads }: InboxSide, id: Value): Value[] | null {
  const row = messages.find(id as number);
  if (row < 0) return null;
  const { conversation, thread } = threads[messages.thread(row)]!;
  return [conversation.id, thread.author];
}

function lastOf({ lists }: InboxSide, conversation: Value): Row | undefined {
  const last = lists.conversations.get(conversation)?.last;
  return last === NOT_HELD ? undefined : last;
}

function membershipOf({ lists }: InboxSide, id: number): unknown[] | null {
  const entry = lists.entries.get(id);
  if (!entry) return null;
  const { conversation, member, read, unread } = entry;
  return [conversation.id, member, read, unread, lists.isListed(entry)];
}
