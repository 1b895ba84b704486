import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { ClientError, type Identity, type PgRecord, type RecordTransaction, type User } from '../../src/index.ts';
import { groupOf } from './message-writes.ts';
import { ensurePerson, handleKey } from './people.ts';
import { SampleText } from './sample.ts';
import { uuidV7 } from './uuid.ts';

const SEED = 7;
const NAMES = ['andrew', 'bayko'] as const;
const MESSAGES = 200;
const POSTS = 20;
const POST_DAYS = 10;

/** A user of the seed; the password where the account was made just now. */
export interface Seeded {
  readonly handle: string;
  readonly password: string | null;
}

export interface SeedOptions {
  readonly record: PgRecord;
  readonly identity: Identity;
  /** The accounts of users of before, by handle: what `recreate` returns. */
  readonly accounts?: ReadonlyMap<string, string>;
  progress(done: number, of: number): void;
}

/** Two users, a long conversation between them, and posts that expire in ten days. The texts are the same every time. */
export async function seed({
  record,
  identity,
  accounts: known = new Map(),
  progress,
}: SeedOptions): Promise<Seeded[]> {
  const accounts = await Promise.all(NAMES.map((name) => accountOf(record, identity, name, known)));
  await record.transaction(async (tx) => {
    const ids: number[] = [];
    for (const { user } of accounts) ids.push(await ensurePerson(tx, user));
    const text = new SampleText({ seed: SEED });
    await seedConversation(tx, ids, text, (done) => progress(done, MESSAGES + POSTS));
    for (let i = 0; i < POSTS; i++) {
      await tx.query(
        `insert into cruddur.activities (uuid, user_id, message, created_at, expires_at)
         values ($1, $2, $3, now() - $4 * interval '1 hour', now() + $5 * interval '1 day')`,
        [uuidV7(), ids[text.below(2)], text.post(), POSTS - i, POST_DAYS],
      );
      progress(MESSAGES + i + 1, MESSAGES + POSTS);
    }
  });
  return accounts.map(({ user, password }) => ({ handle: user.username, password }));
}

async function seedConversation(
  tx: RecordTransaction,
  ids: readonly number[],
  text: SampleText,
  progress: (done: number) => void,
): Promise<void> {
  const group = await groupOf(tx, ids[0]!, ids[1]!);
  for (let i = 0; i < MESSAGES; i++) {
    await tx.query(
      `insert into cruddur.messages (uuid, message_group_uuid, user_id, message, created_at)
       values ($1, $2, $3, $4, now() - $5 * interval '1 minute')`,
      [uuidV7(), group, ids[text.below(2)], text.message(), MESSAGES - i],
    );
    progress(i + 1);
  }
}

/** An account to log in with, made where there is none. Where accounts are kept elsewhere, a user without one. */
async function accountOf(
  record: PgRecord,
  identity: Identity,
  username: string,
  accounts: ReadonlyMap<string, string>,
): Promise<{ user: User; password: string | null }> {
  const [known] = await record.query<{ sub: string }>('select sub from cruddur.users where handle_key = $1', [
    handleKey(username),
  ]);
  const sub = known?.sub ?? accounts.get(username);
  const existing = {
    user: { sub: sub ?? `seed:${username}`, username, email: null, roles: [] },
    password: null,
  };
  if (sub !== undefined) return existing;
  const password = `Seed-1${randomBytes(9).toString('base64url')}`;
  try {
    return { user: await identity.signUp({ username, password, email: `${username}@cruddur.example` }), password };
  } catch (error) {
    if (error instanceof ClientError) return existing;
    throw error;
  }
}

const LAST_NUMBER = `
  select greatest(pg_sequence_last_value(pg_get_serial_sequence('cruddur.users', 'user_id')::regclass),
                  (select max(user_id) from cruddur.users)) as last`;

/**
 * Drops all tables of the service, with what is in them, and makes them anew. A server that runs builds its views anew.
 * Returns which accounts the users of the seed belonged to.
 */
export async function recreate(record: PgRecord): Promise<Map<string, string>> {
  const folder = new URL('./migrations/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')));
  const { value } = await record.transaction(async (tx) => {
    const [there] = await tx.query(`select to_regclass('cruddur.users')::text as users`);
    const users = there!.users
      ? await tx.query<{ handle: string; sub: string }>(
          'select handle, sub from cruddur.users where handle_key = any($1)',
          [NAMES],
        )
      : [];
    const [drawn] = there!.users ? await tx.query<{ last: number | null }>(LAST_NUMBER) : [];
    await tx.query('drop schema if exists cruddur cascade');
    await tx.query('create schema cruddur');
    for (const text of texts) await tx.query(text);
    // No number is given to a second user: whatever remembers one finds nobody.
    if (drawn?.last)
      await tx.query(`select setval(pg_get_serial_sequence('cruddur.users', 'user_id'), $1)`, [drawn.last]);
    return new Map(users.map(({ handle, sub }) => [handle, sub]));
  });
  return value;
}
