import type { PgRecord } from '../../src/index.ts';
import type { ActivityParts, Author, MessageParts } from './answers.ts';
import { Invalid, UserGone } from './invalid.ts';
import { notYours } from './message-writes.ts';
import { handleKey, type OwnProfile } from './people.ts';

export interface ShortProfile extends Author {
  readonly uuid: string;
}

export interface Profile extends ShortProfile {
  readonly bio: string;
  readonly cruds_count: number;
}

export type ShownActivity = ActivityParts & Author;

/** Something that somebody else did with what is mine. */
export interface Notification extends ShownActivity {
  readonly type: 'reply' | 'like' | 'repost' | 'mention';
  readonly at: number;
}

/** Entries of a list that does not say otherwise. */
export const PAGE = 20;
const MAX_REPLIES = 200;
const MAX_NOTIFICATIONS = 50;
const MAX_REACTIONS = 1000;

const SHOWN = `its.uuid, its.message, its.replies_count, its.likes_count, its.reposts_count, its.created_at, its.expires_at,
  author.display_name, author.handle`;
const ACTIVITIES = 'cruddur.activities its join cruddur.users author using (user_id)';

/**
 * Words of a search as a text search query: all of them, the last letters of each may be missing. What was typed is a value
 * throughout: PostgreSQL takes it apart into letters and digits (`migrations/002-words.sql`), and its pieces are quoted.
 */
const SEARCHED = `to_tsquery('simple', (
  select string_agg('''' || lexeme || ''':*', ' & ') from unnest(to_tsvector('simple', cruddur.words($1)))))`;

/** The number of the account that asks, of which nothing is remembered. */
const MINE = '(select user_id from cruddur.users where sub = $1)';

/** What is asked of the record itself: lists of one person, one post, one search, pages of messages. Each through an index. */
export class Reads {
  readonly #record: PgRecord;

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  /** Throws `UserGone`. */
  async me(sub: string): Promise<OwnProfile> {
    const [me] = await this.#record.query<OwnProfile>(
      'select uuid, handle, display_name, bio from cruddur.users where sub = $1',
      [sub],
    );
    if (!me) throw new UserGone();
    return me;
  }

  /** Throws `Invalid`. */
  async short(handle: string): Promise<ShortProfile> {
    const { uuid, handle: name, display_name } = await this.#person(handle);
    return { uuid, handle: name, display_name };
  }

  /** Somebody's profile and posts, newest first. */
  async profile(handle: string, before?: string): Promise<{ profile: Profile; activities: ShownActivity[] }> {
    const { user_id, ...person } = await this.#person(handle);
    const own = 'user_id = $1 and reply_to is null and expires_at > now()';
    const [counted] = await this.#record.query<{ cruds_count: number }>(
      `select count(*) as cruds_count from cruddur.activities where ${own}`,
      [user_id],
    );
    const activities = await this.#record.query<ShownActivity>(
      `select ${SHOWN} from ${ACTIVITIES} where ${own} and ($3::bigint is null or activity_id < $3)
        order by activity_id desc limit $2`,
      [user_id, PAGE, before === undefined ? null : await this.activityId(before)],
    );
    return { profile: { ...person, cruds_count: counted!.cruds_count }, activities };
  }

  /** One post with its replies, oldest first. */
  async status(handle: string, uuid: string): Promise<{ activity: ShownActivity; replies: ShownActivity[] }> {
    const [activity] = await this.#record.query<ShownActivity>(
      `select ${SHOWN} from ${ACTIVITIES} where its.uuid = $1 and author.handle_key = $2 and expires_at > now()`,
      [uuid, handleKey(handle)],
    );
    if (!activity) throw new Invalid(['activity_not_found']);
    const replies = await this.#record.query<ShownActivity>(
      `select ${SHOWN} from ${ACTIVITIES}
        where reply_to = (select activity_id from cruddur.activities where uuid = $1) and expires_at > now()
        order by activity_id limit $2`,
      [uuid, MAX_REPLIES],
    );
    return { activity, replies };
  }

  searchActivities(term: string): Promise<ShownActivity[]> {
    return this.#record.query<ShownActivity>(
      `select ${SHOWN} from ${ACTIVITIES} where its.search @@ ${SEARCHED} and expires_at > now()
        order by activity_id desc limit $2`,
      [term, PAGE],
    );
  }

  searchUsers(term: string): Promise<ShortProfile[]> {
    return this.#record.query<ShortProfile>(
      `select uuid, handle, display_name from cruddur.users where search @@ ${SEARCHED} order by handle_key limit $2`,
      [term, PAGE],
    );
  }

  /** What others did with what is mine, newest first. */
  notifications(sub: string): Promise<Notification[]> {
    return this.#record.query<Notification>(
      `with mine as materialized (select activity_id from cruddur.activities where user_id = ${MINE} and expires_at > now()),
       news as (
         select 'reply' as type, reply.activity_id, reply.user_id as by_id, reply.created_at as at
           from mine join cruddur.activities reply on reply.reply_to = mine.activity_id
         union all
         select 'like', activity_id, liked.user_id, liked.created_at from mine join cruddur.likes liked using (activity_id)
         union all
         select 'repost', activity_id, reposted.user_id, reposted.created_at
           from mine join cruddur.reposts reposted using (activity_id)
         union all
         select 'mention', activity_id, naming.user_id, naming.created_at
           from cruddur.mentions mention join cruddur.activities naming using (activity_id) where mention.user_id = ${MINE})
       select news.type, news.at, ${SHOWN}
         from news join cruddur.activities its using (activity_id) join cruddur.users author on author.user_id = by_id
        where by_id <> ${MINE} and its.expires_at > now()
        order by news.at desc, its.activity_id desc, news.type limit $2`,
      [sub, MAX_NOTIFICATIONS],
    );
  }

  /** Which posts somebody likes and has reposted: the newest. */
  async reactions(sub: string): Promise<{ likes: string[]; reposts: string[] }> {
    const of = async (table: 'likes' | 'reposts') => {
      const rows = await this.#record.query<{ uuid: string }>(
        `select uuid from cruddur.${table} its join cruddur.activities using (activity_id)
          where its.user_id = ${MINE} and expires_at > now() order by activity_id desc limit $2`,
        [sub, MAX_REACTIONS],
      );
      return rows.map(({ uuid }) => uuid);
    };
    return { likes: await of('likes'), reposts: await of('reposts') };
  }

  /** The place of a post in the feed. Throws `Invalid` where it is gone. */
  async activityId(uuid: string): Promise<number> {
    const [found] = await this.#record.query<{ activity_id: number }>(
      'select activity_id from cruddur.activities where uuid = $1',
      [uuid],
    );
    if (!found) throw new Invalid(['before_invalid']);
    return found.activity_id;
  }

  /** The place of a message among all, if it lies in a conversation of this user's. Throws `Invalid`. */
  async messageId(sub: string, uuid: string): Promise<number> {
    const [found] = await this.#record.query<{ message_id: number }>(
      `select message_id from cruddur.messages its
        where uuid = $2 and exists (select from cruddur.message_group_members own
          where own.message_group_uuid = its.message_group_uuid and own.user_id = ${MINE})`,
      [sub, uuid],
    );
    if (!found) throw new Invalid(['before_invalid']);
    return found.message_id;
  }

  /** The last messages of a conversation, or the last before one of them; oldest first. Throws 403, `Invalid`. */
  async messages(sub: string, group: string, before?: string): Promise<MessageParts[]> {
    const [found] = await this.#record.query<{ member: boolean; before_id: number | null }>(
      `select exists (select from cruddur.message_group_members where message_group_uuid = $2 and user_id = ${MINE}) as member,
              (select message_id from cruddur.messages where uuid = $3 and message_group_uuid = $2) as before_id`,
      [sub, group, before ?? null],
    );
    if (!found!.member) throw notYours();
    if (before !== undefined && found!.before_id === null) throw new Invalid(['before_invalid']);
    const rows = await this.#record.query<MessageParts>(
      `select its.uuid, author.display_name, author.handle, its.message, its.created_at
         from cruddur.messages its join cruddur.users author using (user_id)
        where message_group_uuid = $1 and ($2::bigint is null or message_id < $2) order by message_id desc limit $3`,
      [group, found!.before_id, PAGE],
    );
    return rows.reverse();
  }

  async #person(handle: string): Promise<ShortProfile & { readonly user_id: number; readonly bio: string }> {
    const [found] = await this.#record.query<ShortProfile & { user_id: number; bio: string }>(
      'select user_id, uuid, handle, display_name, bio from cruddur.users where handle_key = $1',
      [handleKey(handle)],
    );
    if (!found) throw new Invalid(['user_not_found']);
    return found;
  }
}
