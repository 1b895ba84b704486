import { client } from '../client.ts';

export interface Author {
  readonly handle: string;
  readonly display_name: string;
}

export interface Activity extends Author {
  readonly uuid: string;
  readonly message: string;
  readonly replies_count: number;
  readonly reposts_count: number;
  readonly likes_count: number;
  readonly expires_at: string;
  readonly created_at: string;
}

export interface Notification extends Activity {
  readonly type: 'reply' | 'like' | 'repost' | 'mention';
  readonly at: string;
}

export interface Profile extends Author {
  readonly uuid: string;
  readonly bio: string;
  readonly cruds_count: number;
}

export interface Me extends Author {
  readonly bio: string;
  /** Where my own news are pushed. */
  readonly topic: string;
}

export interface Group extends Author {
  readonly uuid: string;
  readonly message: string;
  readonly created_at: string;
  readonly unread_count: number;
}

export interface Message extends Author {
  readonly uuid: string;
  readonly message: string;
  readonly created_at: string;
}

export interface Reactions {
  readonly likes: readonly string[];
  readonly reposts: readonly string[];
}

/** What is pushed on `cruddur/feed/...`. */
export type FeedEvent =
  | ({ readonly type: 'post' | 'reply' } & Activity)
  | ({ readonly type: 'counts' } & Pick<Activity, 'uuid' | 'replies_count' | 'likes_count' | 'reposts_count'>)
  | ({ readonly type: 'profile' } & Author);

/** What is pushed on `cruddur/inbox/...`. */
export type InboxEvent =
  | ({ readonly type: 'message'; readonly message_group_uuid: string } & Message)
  | { readonly type: 'read'; readonly message_group_uuid: string }
  | { readonly type: 'typing'; readonly message_group_uuid: string; readonly handle: string };

const BASE = '/cruddur/api';

export function read<T>(path: string): Promise<T> {
  return own('GET', path);
}

/** Reads or writes in the name of who is signed in. */
export async function own<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await client.send<T>(`${method} ${BASE}${path}`, { body })).body;
}
