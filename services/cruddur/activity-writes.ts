import type { PgRecord, Written } from '../../src/index.ts';
import type { Author } from './answers.ts';
import { Invalid, UserGone } from './invalid.ts';
import { CALLERS, handleKey } from './people.ts';
import { uuidV7 } from './uuid.ts';

/** Posts that were swept keep their place in a page that somebody is reading for this long. */
export const SWEEP_GRACE_SECONDS = 3600;
/** Rows deleted in one transaction: views apply it in one turn. */
const SWEEP_ROWS = 1000;

export interface Post {
  /** The account of who posts. */
  readonly sub: string;
  readonly message: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface Reply {
  readonly sub: string;
  readonly parent: string;
  readonly message: string;
}

/** A post or reply that is in the record, with its author. Times in microseconds since 1970 UTC. */
export interface Posted extends Author {
  readonly uuid: string;
  readonly message: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/** A like or a repost: by whom, of what. */
export interface Reaction {
  readonly sub: string;
  readonly activity: string;
}

const MENTIONED = `
  mentioned as (
    insert into cruddur.mentions (activity_id, user_id)
    select distinct made.activity_id, users.user_id
      from sent join made using (uuid) cross join lateral unnest(string_to_array(sent.mentions, ' ')) as mention
      join cruddur.users on users.handle_key = mention
    on conflict do nothing)`;

const POSTED = `
  select made.created_at, made.expires_at, callers.handle, callers.display_name, pg_current_xact_id()::text as lockstep_xid
    from sent left join callers using (sub) left join made using (uuid) order by sent.place`;

const POST = `
  with sent as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[])
      with ordinality as sent (uuid, sub, message, ttl, mentions, place)),
  ${CALLERS},
  made as (
    insert into cruddur.activities (uuid, user_id, message, expires_at)
    select uuid, user_id, message, now()::timestamptz(3) + ttl * interval '1 second'
      from sent join callers using (sub) order by place
    returning activity_id, uuid, created_at, expires_at),
  ${MENTIONED}
  ${POSTED}`;

/** What the statement is about, held so that it stays until the end: what was deleted meanwhile is not found. */
const found = (column: 'uuid' | 'parent') => `
  found as materialized (
    select activity_id, uuid, expires_at from cruddur.activities
     where uuid in (select ${column} from sent) and expires_at > now() order by activity_id for key share)`;

/** A reply lives as long as what it replies to. */
const REPLY = `
  with sent as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
      with ordinality as sent (uuid, sub, message, parent, mentions, place)),
  ${CALLERS},
  ${found('parent')},
  made as (
    insert into cruddur.activities (uuid, user_id, message, reply_to, reply_to_uuid, expires_at)
    select sent.uuid, user_id, sent.message, found.activity_id, found.uuid, found.expires_at
      from sent join callers using (sub) join found on found.uuid = sent.parent order by sent.place
    returning activity_id, uuid, created_at, expires_at),
  ${MENTIONED}
  ${POSTED}`;

type Table = 'likes' | 'reposts';

const REACTED = `
  select callers.sub is not null as known, found.uuid is not null as found, pg_current_xact_id()::text as lockstep_xid
    from sent left join callers using (sub) left join found using (uuid) order by sent.place`;

/** Whatever is there already stays as it is: the answer is the same however often it is sent. */
const react = (table: Table) => `
  with sent as materialized (
    select * from unnest($1::text[], $2::uuid[]) with ordinality as sent (sub, uuid, place)),
  ${CALLERS},
  ${found('uuid')},
  made as (
    insert into cruddur.${table} (activity_id, user_id)
    select distinct activity_id, user_id from sent join callers using (sub) join found using (uuid) order by 1, 2
    on conflict do nothing)
  ${REACTED}`;

const retract = (table: Table) => `
  with sent as materialized (
    select * from unnest($1::text[], $2::uuid[]) with ordinality as sent (sub, uuid, place)),
  ${CALLERS},
  ${found('uuid')},
  gone as (
    delete from cruddur.${table} its using sent join callers using (sub) join found using (uuid)
     where its.activity_id = found.activity_id and its.user_id = callers.user_id)
  ${REACTED}`;

type React = (reaction: Reaction) => Promise<Written<boolean>>;

/** The commands on posts: everything that changes them, their replies, likes and reposts. They throw `UserGone`. */
export class ActivityWrites {
  readonly #record: PgRecord;
  readonly #post: (post: Post) => Promise<Written<Posted>>;
  readonly #reply: (reply: Reply) => Promise<Written<Posted | undefined>>;
  readonly #reactions: Readonly<Record<Table, { readonly add: React; readonly remove: React }>>;

  constructor(options: { record: PgRecord }) {
    const { record } = options;
    this.#record = record;
    this.#post = this.#postings(POST, 'integer', ({ ttl }: Post) => ttl) as (post: Post) => Promise<Written<Posted>>;
    this.#reply = this.#postings(REPLY, 'uuid', ({ parent }: Reply) => parent);
    this.#reactions = { likes: this.#react('likes'), reposts: this.#react('reposts') };
  }

  post(post: Post): Promise<Written<Posted>> {
    return this.#post(post);
  }

  /** Throws `Invalid` where there is nothing (any more) to reply to. */
  async reply(reply: Reply): Promise<Written<Posted>> {
    const { value, receipt } = await this.#reply(reply);
    if (!value) throw new Invalid(['activity_not_found']);
    return { value, receipt };
  }

  /** Throws `Invalid` where the post is not there (any more). */
  async react(table: Table, what: 'add' | 'remove', reaction: Reaction): Promise<Written<undefined>> {
    const { value: found, receipt } = await this.#reactions[table][what](reaction);
    if (!found) throw new Invalid(['activity_not_found']);
    return { value: undefined, receipt };
  }

  /** Deletes what expired a while ago, some at a time; returns how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    for (let swept = 0; ; ) {
      const { value } = await this.#record.transaction(async (tx) => {
        const gone = await tx.query(
          `delete from cruddur.activities where activity_id in (
             select activity_id from cruddur.activities where expires_at < now() - $1 * interval '1 second'
              order by expires_at limit $2 for update skip locked) returning activity_id`,
          [SWEEP_GRACE_SECONDS, SWEEP_ROWS],
        );
        return gone.length;
      });
      swept += value;
      if (value < SWEEP_ROWS || signal?.aborted) return swept;
    }
  }

  #postings<P extends { readonly sub: string; readonly message: string }>(
    sql: string,
    type: string,
    its: (posting: P) => unknown,
  ): (posting: P) => Promise<Written<Posted | undefined>> {
    const write = this.#record.coalesceWrites<P & { readonly uuid: string }, Posted | undefined>({
      sql,
      columns: ['uuid', 'text', 'text', type, 'text'],
      encode: (posting) => [posting.uuid, posting.sub, posting.message, its(posting), mentionsIn(posting.message)],
      decode: (row, { uuid, message }) => {
        if (row.handle === null) throw new UserGone();
        return row.created_at === null ? undefined : ({ uuid, message, ...row } as unknown as Posted);
      },
    });
    return (posting) => write({ ...posting, uuid: uuidV7() });
  }

  #react(table: Table): { add: React; remove: React } {
    const write = (sql: string): React =>
      this.#record.coalesceWrites<Reaction, boolean>({
        sql,
        columns: ['text', 'uuid'],
        encode: ({ sub, activity }) => [sub, activity],
        decode: ({ known, found }) => {
          if (!known) throw new UserGone();
          return found as boolean;
        },
        key: ({ sub, activity }) => `${activity} ${sub}`,
        retriable: () => true,
      });
    return { add: write(react(table)), remove: write(retract(table)) };
  }
}

const MENTION = /(?<![\p{L}\p{N}_])@([\p{L}\p{N}_][\p{L}\p{M}\p{N}_.+-]*)/gu;

/** The keys of the handles that a text mentions, with a space in between; a handle holds none. */
function mentionsIn(message: string): string {
  const keys = new Set<string>();
  for (const [, handle] of message.matchAll(MENTION)) {
    keys.add(handleKey(handle!));
    keys.add(handleKey(handle!.replace(/[.+-]+$/, '')));
  }
  return [...keys].join(' ');
}
