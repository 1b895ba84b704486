import {
  ClientError,
  type PgRecord,
  type RecordReader,
  type RecordTransaction,
  type User,
  type Written,
} from '../../src/index.ts';
import { UserGone } from './invalid.ts';

/** Users remembered. */
const REMEMBERED = 100_000;
const TRIES = 20;

/** Who somebody is, as they see it themselves. */
export interface OwnProfile {
  readonly uuid: string;
  readonly handle: string;
  readonly display_name: string;
  readonly bio: string;
}

/**
 * Of a statement's `sent`, those who send it, by account, never by a number that was looked up before. Held to the end, so that their
 * numbers are nobody else's when the rows are written.
 */
export const CALLERS = `
  callers as materialized (
    select user_id, sub, handle, display_name from cruddur.users where sub in (select sub from sent) for key share)`;

/** What makes a handle unique: names that look the same, or differ in case only, are one. */
export function handleKey(handle: string): string {
  return handle.normalize('NFKC').toLowerCase();
}

/**
 * Makes the user of this service that belongs to an account, where there is none yet. The handle is the account's name or, where
 * somebody else has that already (an external issuer's names are its own affair), the name with a number.
 */
export async function ensurePerson(tx: RecordTransaction, { sub, username }: User): Promise<number> {
  const name = username.replaceAll(/[\s/]/g, '_').slice(0, 100) || 'someone';
  for (let i = 1; i <= TRIES; i++) {
    const known = await findBySub(tx, sub);
    if (known !== undefined) return known;
    const handle = i === 1 ? name : `${name}${i < 10 ? i : Math.floor(Math.random() * 1e6)}`;
    const [made] = await tx.query<{ user_id: number }>(
      `insert into cruddur.users (sub, handle, handle_key, display_name) values ($1, $2, $3, $4)
       on conflict do nothing returning user_id`,
      [sub, handle, handleKey(handle), name],
    );
    if (made) return made.user_id;
  }
  throw new ClientError(503, 'No handle could be found for this account. Try again.');
}

async function findBySub(reader: RecordReader, sub: string): Promise<number | undefined> {
  const [found] = await reader.query<{ user_id: number }>('select user_id from cruddur.users where sub = $1', [sub]);
  return found?.user_id;
}

/** A user by account and by number. */
export interface Me {
  readonly sub: string;
  /** What it was when it was looked up: a user may be made anew under another, and the number given to somebody else. */
  readonly id: number;
}

/** The users of this service by account. */
export class People {
  readonly #record: PgRecord;
  #known = new Map<string, Me>();

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  /** As they were when they were last looked up. */
  remembered({ sub }: User): Me | undefined {
    return this.#known.get(sub);
  }

  /** As the record has them now; made where there is none. */
  async find(user: User): Promise<Me> {
    const { sub } = user;
    const found = await findBySub(this.#record, sub);
    const id = found ?? (await this.#record.transaction((tx) => ensurePerson(tx, user))).value;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const me = { sub, id };
    this.#known.set(sub, me);
    return me;
  }
}

/** A new name and, where it is told, a new bio. Throws `UserGone`. */
export function updateProfile(
  record: PgRecord,
  sub: string,
  { bio, display_name }: { readonly bio: string | undefined; readonly display_name: string },
): Promise<Written<OwnProfile>> {
  return record.transaction(async (tx) => {
    const [me] = await tx.query<OwnProfile>(
      `update cruddur.users set bio = coalesce($2, bio), display_name = $3 where sub = $1
       returning uuid, handle, display_name, bio`,
      [sub, bio ?? null, display_name],
    );
    if (!me) throw new UserGone();
    return me;
  });
}
