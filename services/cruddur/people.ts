import {
  ClientError,
  type PgRecord,
  type RecordReader,
  type RecordTransaction,
  type User,
  type Written,
} from '../../src/index.ts';

/** Users remembered by their token's subject. */
const REMEMBERED = 100_000;
const TRIES = 20;

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

/** The users of this service by account. Their numbers never change, so they are remembered. */
export class People {
  readonly #record: PgRecord;
  #known = new Map<string, number>();

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  /** The number of an account's user, who is made at the first call where there is none. Synchronous when seen before. */
  idOf(user: User): number | Promise<number> {
    return this.#known.get(user.sub) ?? this.#find(user);
  }

  async #find(user: User): Promise<number> {
    const found = await findBySub(this.#record, user.sub);
    const id = found ?? (await this.#record.transaction((tx) => ensurePerson(tx, user))).value;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(user.sub, id);
    return id;
  }
}

export function updateProfile(
  record: PgRecord,
  userId: number,
  { bio, display_name }: { readonly bio: string; readonly display_name: string },
): Promise<Written<void>> {
  return record.transaction(async (tx) => {
    await tx.query('update cruddur.users set bio = $2, display_name = $3 where user_id = $1', [
      userId,
      bio,
      display_name,
    ]);
  });
}
