import { ClientError, type PgRecord, type RecordTransaction, type Written } from '../../src/index.ts';
import { Invalid, UserGone } from './invalid.ts';
import { CALLERS, handleKey } from './people.ts';
import { uuidV7 } from './uuid.ts';

export interface Sending {
  /** The account of who sends. */
  readonly sub: string;
  readonly group: string;
  readonly message: string;
}

/** A message that is in the record, with its sender. Times in microseconds since 1970 UTC. */
export interface SentMessage {
  readonly uuid: string;
  readonly display_name: string;
  readonly handle: string;
  readonly message: string;
  readonly created_at: number;
}

/**
 * Nobody who is not in a conversation finds it here. All conversations are locked, in one order, before the first number is drawn
 * (the sort comes in between): within each, the order of the numbers is the order of the commits, also between processes.
 */
const SEND = `
  with sent as materialized (
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[])
      with ordinality as sent (uuid, sub, message_group_uuid, message, place)),
  ${CALLERS},
  locked as materialized (
    select uuid from cruddur.message_groups where uuid in (
      select message_group_uuid from sent join callers using (sub)
        join cruddur.message_group_members using (message_group_uuid, user_id))
    order by uuid for no key update),
  made as (
    insert into cruddur.messages (uuid, message_group_uuid, user_id, message)
    select sent.uuid, message_group_uuid, user_id, message
      from sent join callers using (sub) join locked on locked.uuid = message_group_uuid
      join cruddur.message_group_members using (message_group_uuid, user_id)
     order by place
    returning uuid, created_at)
  select made.created_at, callers.display_name, callers.handle, pg_current_xact_id()::text as lockstep_xid
    from sent left join callers using (sub) left join made using (uuid) order by sent.place`;

export interface Reading {
  readonly sub: string;
  readonly group: string;
  /** The last message that is read; all that are there unless told. */
  readonly upTo: string | null;
}

/** A mark never goes back, so that devices may send theirs in any order. Without a conversation of this user's: no row, null. */
const READ = `
  with sent as materialized (
    select sent.*, user_id from unnest($1::text[], $2::uuid[], $3::uuid[])
      with ordinality as sent (sub, message_group_uuid, up_to, place) left join cruddur.users using (sub)),
  found as materialized (
    select member_id, place, (
        select message_id from cruddur.messages its
         where its.message_group_uuid = sent.message_group_uuid and (sent.up_to is null or its.uuid = sent.up_to)
         order by message_id desc limit 1) as mark
      from sent join cruddur.message_group_members using (message_group_uuid, user_id)),
  marked as (
    update cruddur.message_group_members its set read_id = found.mark from found
     where its.member_id = found.member_id and found.mark > coalesce(its.read_id, 0))
  select user_id is not null as known, found.member_id is not null as member, found.mark, pg_current_xact_id()::text as lockstep_xid
    from sent left join found using (place) order by sent.place`;

/** The commands on conversations: everything that changes them, their messages and their read marks. They throw `UserGone`. */
export class MessageWrites {
  readonly #record: PgRecord;
  readonly #send: (sending: Sending & { readonly uuid: string }) => Promise<Written<SentMessage | undefined>>;
  readonly #read: (reading: Reading) => Promise<Written<{ member: boolean; found: boolean }>>;

  constructor(options: { record: PgRecord }) {
    const { record } = options;
    this.#record = record;
    this.#send = record.coalesceWrites<Sending & { readonly uuid: string }, SentMessage | undefined>({
      sql: SEND,
      columns: ['uuid', 'text', 'uuid', 'text'],
      encode: ({ uuid, sub, group, message }) => [uuid, sub, group, message],
      decode: ({ created_at, display_name, handle }, { uuid, message }) => {
        if (handle === null) throw new UserGone();
        return created_at === null
          ? undefined
          : ({ uuid, display_name, handle, message, created_at } as unknown as SentMessage);
      },
    });
    this.#read = record.coalesceWrites<Reading, { member: boolean; found: boolean }>({
      sql: READ,
      columns: ['text', 'uuid', 'uuid'],
      encode: ({ sub, group, upTo }) => [sub, group, upTo],
      decode: ({ known, member, mark }) => {
        if (!known) throw new UserGone();
        return { member: member as boolean, found: mark !== null };
      },
      key: ({ sub, group }) => `${group} ${sub}`,
      retriable: () => true,
    });
  }

  /** Throws 403 for somebody who is not in the conversation. */
  async send(sending: Sending): Promise<Written<SentMessage>> {
    const { value, receipt } = await this.#send({ ...sending, uuid: uuidV7() });
    if (!value) throw notYours();
    return { value, receipt };
  }

  /** Sends a message to somebody by handle, in the conversation that the two have or get now. Throws `Invalid`. */
  start(sub: string, handle: string, message: string): Promise<Written<{ message_group_uuid: string }>> {
    return this.#record.transaction(async (tx) => {
      const from = await heldUser(tx, 'sub', sub);
      if (from === undefined) throw new UserGone();
      const to = await heldUser(tx, 'handle_key', handleKey(handle));
      if (to === undefined) throw new Invalid(['user_receiver_handle_not_found']);
      const message_group_uuid = await groupOf(tx, from, to);
      await tx.query(
        'insert into cruddur.messages (uuid, message_group_uuid, user_id, message) values ($1, $2, $3, $4)',
        [uuidV7(), message_group_uuid, from, message],
      );
      return { message_group_uuid };
    });
  }

  /** Throws 403 for somebody who is not in the conversation, `Invalid` for a message that is not in it. */
  async read(reading: Reading): Promise<Written<undefined>> {
    const { value, receipt } = await this.#read(reading);
    if (!value.member) throw notYours();
    if (!value.found && reading.upTo !== null) throw new Invalid(['message_uuid_not_found']);
    return { value: undefined, receipt };
  }
}

/** Told of conversations that are not there as well: nobody learns which are. */
export function notYours(): ClientError {
  return new ClientError(403, 'This conversation is not yours.');
}

/** A user's number, which is nobody else's until the transaction ends. */
async function heldUser(tx: RecordTransaction, by: 'sub' | 'handle_key', value: string): Promise<number | undefined> {
  const [found] = await tx.query<{ user_id: number }>(
    `select user_id from cruddur.users where ${by} = $1 for key share`,
    [value],
  );
  return found?.user_id;
}

/** The conversation of two people, locked; of two who make one at once, the second waits and is given the first one's. */
export async function groupOf(tx: RecordTransaction, one: number, other: number): Promise<string> {
  const pair = [Math.min(one, other), Math.max(one, other)];
  const [made] = await tx.query<{ uuid: string }>(
    `insert into cruddur.message_groups (uuid, first_user_id, second_user_id) values ($3, $1, $2)
     on conflict (first_user_id, second_user_id) do nothing returning uuid`,
    [...pair, uuidV7()],
  );
  if (!made) {
    const [found] = await tx.query<{ uuid: string }>(
      'select uuid from cruddur.message_groups where first_user_id = $1 and second_user_id = $2 for no key update',
      pair,
    );
    return found!.uuid;
  }
  await tx.query(
    `insert into cruddur.message_group_members (message_group_uuid, user_id)
     select $1, user_id from unnest($2::bigint[]) as user_id on conflict do nothing`,
    [made.uuid, pair],
  );
  return made.uuid;
}
