import { ClientError } from '../record/errors.ts';
import type { RecordReader, RecordTransaction } from '../record/record.ts';
import { microsToIso } from '../record/time.ts';
import type { Account } from './identity.ts';
import { usernameKey } from './policy.ts';

/** An account with what only this stage may see. */
export interface StoredAccount extends Account {
  readonly email: string;
  readonly passwordHash: string;
  readonly mustConfirm: boolean;
  readonly generation: number;
}

export interface NewAccount {
  readonly username: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly mustConfirm: boolean;
  /** Microseconds since 1970 UTC. */
  readonly createdAt: number;
}

interface AccountRow {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly must_confirm: boolean;
  readonly password_hash: string;
  readonly roles: string;
  readonly generation: number;
  readonly created_at: number;
}

/** Columns of `lockstep.users u` that make a {@link StoredAccount}. Role names hold no space. */
export const ACCOUNT_COLUMNS = `u.id, u.username, u.email, u.email_verified, u.must_confirm, u.password_hash,
  array_to_string(u.roles, ' ') as roles, u.generation, u.created_at`;

export function toAccount(row: AccountRow): StoredAccount {
  return {
    sub: row.id,
    username: row.username,
    email: row.email,
    emailVerified: row.email_verified,
    mustConfirm: row.must_confirm,
    passwordHash: row.password_hash,
    roles: row.roles === '' ? [] : row.roles.split(' '),
    generation: row.generation,
    createdAt: row.created_at,
  };
}

/** The account of a name, whatever its case. A name that PostgreSQL's text cannot hold has none. */
export async function findAccount(reader: RecordReader, username: string): Promise<StoredAccount | undefined> {
  if (username.includes('\0')) return undefined;
  const [row] = await reader.query<AccountRow>(
    `select ${ACCOUNT_COLUMNS} from lockstep.users u where username_key = $1`,
    [usernameKey(username)],
  );
  return row && toAccount(row);
}

/** Throws 409 when the name, or the e-mail address confirmed by somebody, is taken. */
export async function insertAccount(tx: RecordTransaction, account: NewAccount): Promise<StoredAccount> {
  const emailKey = account.email.toLowerCase();
  const [row] = await tx.query<AccountRow>(
    `insert into lockstep.users as u (username, username_key, email, email_key, must_confirm, password_hash, created_at)
     select $1, $2, $3, $4, $5, $6, $7
     where not exists (select from lockstep.users where email_key = $4 and email_verified)
     on conflict (username_key) do nothing returning ${ACCOUNT_COLUMNS}`,
    [
      account.username,
      usernameKey(account.username),
      account.email,
      emailKey,
      account.mustConfirm,
      account.passwordHash,
      microsToIso(account.createdAt),
    ],
  );
  if (row) return toAccount(row);
  if (await findAccount(tx, account.username)) throw new ClientError(409, 'This username is taken; choose another.');
  throw emailTaken();
}

function emailTaken(): ClientError {
  return new ClientError(
    409,
    'This e-mail address belongs to another account; log in to that one or use another address.',
  );
}

/** In order of their names. */
export async function listAccounts(reader: RecordReader, after: string, limit: number): Promise<Account[]> {
  const rows = await reader.query<AccountRow>(
    `select ${ACCOUNT_COLUMNS} from lockstep.users u where username_key > $1 order by username_key limit $2`,
    [usernameKey(after), limit],
  );
  return rows.map((row) => publicAccount(toAccount(row)));
}

/** Without what only this stage may see. */
export function publicAccount({ sub, username, email, emailVerified, roles, createdAt }: StoredAccount): Account {
  return { sub, username, email, emailVerified, roles, createdAt };
}

export async function setPasswordHash(tx: RecordTransaction, sub: string, from: string, to: string): Promise<void> {
  await tx.query('update lockstep.users set password_hash = $3 where id = $1 and password_hash = $2', [sub, from, to]);
}

/** Throws 404 when there is no such account. */
export async function addRole(tx: RecordTransaction, username: string, role: string): Promise<StoredAccount> {
  return changeRoles(tx, username, 'array_append(array_remove(roles, $2), $2)', role);
}

/** Throws 404 when there is no such account. */
export async function removeRole(tx: RecordTransaction, username: string, role: string): Promise<StoredAccount> {
  return changeRoles(tx, username, 'array_remove(roles, $2)', role);
}

async function changeRoles(
  tx: RecordTransaction,
  username: string,
  roles: string,
  role: string,
): Promise<StoredAccount> {
  const [row] = await tx.query<AccountRow>(
    `update lockstep.users u set roles = ${roles} where username_key = $1 returning ${ACCOUNT_COLUMNS}`,
    [usernameKey(username), role],
  );
  if (!row) throw new ClientError(404, `There is no user "${username}"; "lockstep users list" shows all.`);
  return toAccount(row);
}

/** Throws 409 when another account has confirmed the address before. */
export async function confirmEmail(tx: RecordTransaction, sub: string): Promise<void> {
  const rows = await tx.query(
    `update lockstep.users u set email_verified = true, must_confirm = false where id = $1 and not exists
       (select from lockstep.users o where o.email_key = u.email_key and o.email_verified and o.id <> u.id) returning id`,
    [sub],
  );
  if (rows.length === 0) throw emailTaken();
}

/** Accounts whose address was not confirmed in time give their names back. */
export async function deleteUnconfirmed(tx: RecordTransaction, before: number): Promise<void> {
  await tx.query('delete from lockstep.users where must_confirm and created_at < $1', [microsToIso(before)]);
}
