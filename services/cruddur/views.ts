import { feed, inbox, type Row } from '../../src/index.ts';
import { UserGone } from './invalid.ts';
import type { Me } from './people.ts';

/** A row of `cruddur.activities`, as changes and the feed carry it. Times in microseconds since 1970 UTC. */
export interface Activity {
  readonly activity_id: number;
  readonly uuid: string;
  readonly user_id: number;
  readonly message: string;
  readonly reply_to: number | null;
  readonly reply_to_uuid: string | null;
  readonly replies_count: number;
  readonly likes_count: number;
  readonly reposts_count: number;
  readonly created_at: number;
  readonly expires_at: number;
}

/** A row of `cruddur.messages`. */
export interface Message {
  readonly message_id: number;
  readonly uuid: string;
  readonly message_group_uuid: string;
  readonly user_id: number;
  readonly message: string;
  readonly created_at: number;
}

/** A row of `cruddur.message_group_members`. */
export interface Member {
  readonly member_id: number;
  readonly message_group_uuid: string;
  readonly user_id: number;
  readonly read_id: number | null;
}

/** Of `cruddur.users`, what is shown of an author or a correspondent, and where their own news are sent. */
export interface Person {
  readonly user_id: number;
  readonly sub: string;
  readonly handle: string;
  readonly display_name: string;
}

/** A profile that a view has joined; null where nobody has that number. */
export function asPerson(profile: Row | null | undefined): Person | null {
  return (profile ?? null) as unknown as Person | null;
}

/** The profile that a view has under a caller's number. Throws `UserGone` where that is not the caller's there. */
export function personOf({ sub }: Me, profile: Row | null): Person {
  const person = asPerson(profile);
  if (person?.sub !== sub) throw new UserGone();
  return person;
}

const PROFILES = {
  table: 'cruddur.users',
  id: 'user_id',
  keep: ['sub', 'handle', 'display_name'],
} as const;

export const views = {
  feed: feed<Activity, Person>({
    table: 'cruddur.activities',
    id: 'activity_id',
    author: 'user_id',
    expires: 'expires_at',
    parent: 'reply_to',
    keep: ['uuid', 'message', 'reply_to_uuid', 'replies_count', 'likes_count', 'reposts_count', 'created_at'],
    profiles: PROFILES,
  }),
  inbox: inbox<Message, Member, Person>({
    messages: {
      table: 'cruddur.messages',
      id: 'message_id',
      conversation: 'message_group_uuid',
      author: 'user_id',
      keep: ['uuid', 'message', 'created_at'],
    },
    members: {
      table: 'cruddur.message_group_members',
      id: 'member_id',
      conversation: 'message_group_uuid',
      member: 'user_id',
      read: 'read_id',
    },
    profiles: PROFILES,
  }),
};
