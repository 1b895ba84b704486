import pino from 'pino';
import { services } from '../../services/index.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';

export const PASSWORD = 'Bench-Pass-1';

export interface CruddurSeed {
  readonly dataDir: string;
  /** Accounts that log in; the first of all users. */
  readonly users: readonly string[];
  readonly messages: number;
  readonly activities: number;
}

/** Messages of one conversation, on average. */
const A_CONVERSATION = 100;
/** At least: as many as the first page of a list has, so that answers are of one size whatever there is behind them. */
const CONVERSATIONS_OF_ONE = 20;
const MAX_PEOPLE = 2000;
const SIGN_UPS_AT_ONCE = 4;

/** Fills a new data directory, without a server: what is slow row by row (indexes, foreign keys) is done at the end or left out. */
export async function seedCruddur({ dataDir, users, messages, activities }: CruddurSeed): Promise<void> {
  const config = await loadConfig({ env: {}, cwd: dataDir, overrides: { dataDir } });
  const runtime = await openRuntime({ config, services, log: pino({ level: 'silent' }), follow: false });
  try {
    const left = [...users];
    const signUps = async () => {
      for (let username = left.shift(); username !== undefined; username = left.shift())
        await runtime.identity.signUp({ username, password: PASSWORD, email: `${username}@example.com` });
    };
    await Promise.all(Array.from({ length: SIGN_UPS_AT_ONCE }, signUps));
    const groups = Math.max((users.length * CONVERSATIONS_OF_ONE) / 2, Math.ceil(messages / A_CONVERSATION));
    const people = Math.min(MAX_PEOPLE, Math.floor((groups * 2) / CONVERSATIONS_OF_ONE));
    await runtime.record.transaction(async (tx) => {
      // Rows that fit together by construction need no check.
      await tx.query('set local session_replication_role = replica');
      await tx.query(PEOPLE_SQL, [people]);
      await tx.query(GROUPS_SQL, [groups, people]);
      await tx.query(MEMBERS_SQL, [groups, messages]);
      for (const [name] of INDEXES) await tx.query(`drop index ${name}`);
      await tx.query('alter table cruddur.messages drop constraint messages_uuid_key');
      await tx.query(MESSAGES_SQL, [messages, groups, people]);
      await tx.query(ACTIVITIES_SQL, [activities, people]);
      await tx.query('alter table cruddur.messages add unique (uuid)');
      for (const [, sql] of INDEXES) await tx.query(sql);
      for (const [table, column] of IDENTITIES)
        await tx.query(`select setval(pg_get_serial_sequence($1, $2), (select max(${column}) from ${table}))`, [
          table,
          column,
        ]);
    });
    // Marks the rows as committed here: the first reader would write every page of them to the log, past what a slot may keep.
    await runtime.record.query('vacuum analyze');
  } finally {
    await runtime.stop();
  }
}

const IDENTITIES = [
  ['cruddur.users', 'user_id'],
  ['cruddur.message_group_members', 'member_id'],
  ['cruddur.messages', 'message_id'],
  ['cruddur.activities', 'activity_id'],
] as const;

/** As the service's migration makes them. */
const INDEXES = [
  ['cruddur.messages_by_group', 'create index messages_by_group on cruddur.messages (message_group_uuid, message_id)'],
  [
    'cruddur.activities_on_feed',
    'create index activities_on_feed on cruddur.activities (activity_id) where reply_to is null',
  ],
  ['cruddur.activities_by_user', 'create index activities_by_user on cruddur.activities (user_id, activity_id)'],
  ['cruddur.activities_by_expiry', 'create index activities_by_expiry on cruddur.activities (expires_at)'],
  ['cruddur.activities_search', 'create index activities_search on cruddur.activities using gin (search)'],
] as const;

const PEOPLE_SQL = `
  insert into cruddur.users (user_id, sub, handle, handle_key, display_name)
  select n, 'bench:' || n, 'bench' || n, 'bench' || n, 'Bench ' || n
    from generate_series((select coalesce(max(user_id), 0) + 1 from cruddur.users), $1::bigint) n`;

/** The nth conversation: each pair once, each person in about as many. */
const PAIR = `n % $2 + 1 as one, (n % $2 + 1 + n / $2) % $2 + 1 as other`;

const GROUPS_SQL = `
  insert into cruddur.message_groups (uuid, first_user_id, second_user_id)
  select md5('g' || n)::uuid, least(one, other), greatest(one, other)
    from generate_series(0, $1::bigint - 1) n, lateral (select ${PAIR.replaceAll('$2', '$2::bigint')}) pair`;

/** Of each conversation's members one has read nothing of the last messages. */
const MEMBERS_SQL = `
  insert into cruddur.message_group_members (message_group_uuid, user_id, read_id)
  select uuid, person, case when person = first_user_id then $2::bigint else greatest(0, $2::bigint - 3 * $1::bigint) end
    from cruddur.message_groups, unnest(array[first_user_id, second_user_id]) person`;

const MESSAGES_SQL = `
  insert into cruddur.messages (message_id, uuid, message_group_uuid, user_id, message, created_at)
  select i, gen_random_uuid(), md5('g' || n)::uuid, case when i / $2 % 2 = 0 then one else other end,
         'Message number ' || i || ' of a long conversation about bridges', now() - ($1 - i) * interval '1 second'
    from generate_series(1, $1::bigint) i, lateral (select i % $2::bigint as n) nth,
         lateral (select ${PAIR.replaceAll('$2', '$3::bigint')}) pair`;

/** One in five has expired. */
const ACTIVITIES_SQL = `
  insert into cruddur.activities (activity_id, uuid, user_id, message, created_at, expires_at, likes_count)
  select i, gen_random_uuid(), i % $2::bigint + 1, 'Post number ' || i || ': this morning a heron was seen near the harbour',
         now() - ($1 - i) * interval '2 seconds',
         case when i % 5 = 0 then now() - interval '1 minute' else now() + (1 + i % 700) * interval '1 hour' end, i % 10
    from generate_series(1, $1::bigint) i`;
