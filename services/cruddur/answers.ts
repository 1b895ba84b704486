import { type FeedEntry, type Listed, microsToIso } from '../../src/index.ts';
import { type Activity, asPerson, type Message } from './views.ts';

/** Who wrote something, as every answer shows it. Somebody whose row is gone has no name. */
export interface Author {
  readonly display_name: string;
  readonly handle: string;
}

export const NOBODY: Author = { display_name: 'Somebody', handle: '' };

/** A post or reply as answers show it. */
export function activityBody(activity: ActivityParts, { display_name, handle }: Author) {
  return {
    uuid: activity.uuid,
    display_name,
    handle,
    message: activity.message,
    replies_count: activity.replies_count,
    reposts_count: activity.reposts_count,
    likes_count: activity.likes_count,
    expires_at: microsToIso(activity.expires_at),
    created_at: microsToIso(activity.created_at),
  };
}

export type ActivityParts = Omit<Activity, 'activity_id' | 'user_id' | 'reply_to' | 'reply_to_uuid'>;

export function homeBody(entries: readonly FeedEntry[]) {
  return entries.map(({ row, profile }) => activityBody(row as unknown as Activity, asPerson(profile) ?? NOBODY));
}

/** Milliseconds since 1970 at which the first of the entries expires. */
export function firstExpiry(entries: readonly FeedEntry[]): number {
  return entries.reduce((first, { row }) => Math.min(first, (row as unknown as Activity).expires_at), Infinity) / 1000;
}

export interface MessageParts extends Author {
  readonly uuid: string;
  readonly message: string;
  readonly created_at: number;
}

export function messageBody({ uuid, display_name, handle, message, created_at }: MessageParts) {
  return { uuid, display_name, handle, message, created_at: microsToIso(created_at) };
}

/** Conversations as their member sees them. A conversation with oneself shows oneself. */
export function groupsBody(listed: readonly Listed[], me: Author) {
  return listed.map(({ conversation, last, unread, others }) => {
    const { uuid, message, created_at } = last as unknown as Message;
    const other = others.length === 0 ? me : (asPerson(others[0]!.profile) ?? NOBODY);
    return {
      uuid: conversation as string,
      display_name: other.display_name,
      handle: other.handle,
      message,
      created_at: microsToIso(created_at),
      unread_count: unread,
      message_uuid: uuid,
    };
  });
}
