import type { InboxAudit } from '../../inbox/audit.ts';
import type { StoredRead } from '../../stored.ts';
import { idOf, markFrom, placeOf } from './place.ts';
import type { StoredProfiles } from './profiles.ts';
import { rowFrom, valueFrom, valueText } from './row-text.ts';

/** What `verify` asks of the bucket. */
export function auditRead(profiles: StoredProfiles, query: InboxAudit): Omit<StoredRead, 'bucket'> {
  switch (query.ask) {
    case 'messages held':
      return { name: 'messages', args: query.ids.map(placeOf) };
    case 'memberships held':
      return { name: 'memberships', args: query.ids.map(placeOf) };
    case 'last ids':
      return { name: 'last_places', args: query.conversations.map(valueText) };
    case 'last message':
      return { name: 'last', args: [valueText(query.conversation)] };
    case 'inbox counts':
      return { name: 'counts', args: [] };
    default:
      return profiles.audit(query);
  }
}

type MembershipReply = readonly [text: string, unread: number, listed: number] | '';

/** What it replied, as the state in memory answers. */
export function audited(
  { shown, profiles }: { readonly shown: readonly string[]; readonly profiles: StoredProfiles },
  query: InboxAudit,
  reply: unknown,
): unknown {
  switch (query.ask) {
    case 'messages held':
      return (reply as string[]).map((text) => (text === '' ? null : text.split('\n').map(valueFrom)));
    case 'memberships held':
      return (reply as MembershipReply[]).map(membership);
    case 'last ids':
      return (reply as string[]).map((place) => (place === '' ? null : idOf(place)));
    case 'last message':
      return rowFrom(reply as string, shown);
    case 'inbox counts':
      return (reply as unknown[]).map(Number);
    default:
      return profiles.audited(query, reply);
  }
}

function membership(reply: MembershipReply): unknown[] | null {
  if (reply === '') return null;
  const [text, unread, listed] = reply;
  const [conversation, member, read] = text.split('\n') as [string, string, string];
  return [valueFrom(conversation), valueFrom(member), markFrom(read), Number(unread), Number(listed) === 1];
}
