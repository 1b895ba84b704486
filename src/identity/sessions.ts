import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ClientError } from '../record/errors.ts';
import type { PgRecord, RecordTransaction } from '../record/record.ts';
import { MICROS_PER_DAY, microsToIso } from '../record/time.ts';
import { ACCOUNT_COLUMNS, type StoredAccount, toAccount } from './accounts.ts';

/** From the login on, however often the session is refreshed. */
export const SESSION_DAYS = 30;
/** Of one account; the oldest give way. */
export const MAX_SESSIONS = 100;

/** Whose session it is, and the refresh token that continues it. */
export interface Session {
  readonly account: StoredAccount;
  readonly refreshToken: string;
  /** When the password was given: microseconds since 1970 UTC. */
  readonly authTime: number;
}

export interface SessionsOptions {
  readonly record: PgRecord;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

type AccountRow = Parameters<typeof toAccount>[0];

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const REFRESH_TOKEN = /^[\w-]{64}$/;

/**
 * Logins and their refresh tokens. A token is the session's id and a secret, 48 bytes in base64url; the record holds the
 * SHA-256 of the newest secret only. Each refresh replaces it, so a right id with another secret was a token once: somebody has
 * kept or stolen it, and the session ends (reuse detection, RFC 9700, 4.14.2). A client that never got the answer to its refresh
 * logs in again.
 */
export class Sessions {
  readonly #record: PgRecord;
  readonly #clock: () => number;

  constructor({ record, clock }: SessionsOptions) {
    this.#record = record;
    this.#clock = clock;
  }

  /** Undefined when the account is gone meanwhile. */
  async start(sub: string): Promise<Session | undefined> {
    const authTime = this.#clock();
    const id = randomBytes(ID_BYTES);
    const secret = randomBytes(SECRET_BYTES);
    const { value } = await this.#record.transaction(async (tx) => {
      // The lock makes "logout everywhere" at the same time come wholly before or wholly after.
      const [row] = await tx.query<AccountRow>(
        `select ${ACCOUNT_COLUMNS} from lockstep.users u where id = $1 for share`,
        [sub],
      );
      if (!row) return undefined;
      const expiresAt = microsToIso(authTime + SESSION_DAYS * MICROS_PER_DAY);
      await tx.query(
        'insert into lockstep.sessions (id, user_id, secret_hash, auth_time, expires_at) values ($1, $2, $3, $4, $5)',
        [id.toString('hex'), sub, sha256(secret), microsToIso(authTime), expiresAt],
      );
      await tx.query(
        `delete from lockstep.sessions where id in
           (select id from lockstep.sessions where user_id = $1 order by auth_time desc offset $2)`,
        [sub, MAX_SESSIONS],
      );
      return { account: toAccount(row), refreshToken: toToken(id, secret), authTime };
    });
    return value;
  }

  /** Throws 401. */
  async refresh(refreshToken: string): Promise<Session> {
    const parts = fromToken(refreshToken);
    const session = parts && (await this.#rotate(parts.id, parts.secret));
    if (session) return session;
    throw new ClientError(401, 'The refresh token is invalid, used or expired; log in again.');
  }

  /** Ends the session a refresh token is of, or was of before it was used up. Throws 400 for what cannot be a token. */
  async endOne(refreshToken: string): Promise<void> {
    const parts = fromToken(refreshToken);
    if (!parts) throw new ClientError(400, 'Send the refreshToken that a login or refresh answered.');
    await this.#record.query('delete from lockstep.sessions where id = $1', [parts.id.toString('hex')]);
  }

  /** Ends all of an account's sessions and raises its generation, which is returned. Throws nothing when it has none. */
  async end(tx: RecordTransaction, sub: string): Promise<number | undefined> {
    const generation = await this.endTokens(tx, sub);
    await tx.query('delete from lockstep.sessions where user_id = $1', [sub]);
    return generation;
  }

  /** Raises the account's generation: its ID and access tokens end, its sessions go on. */
  async endTokens(tx: RecordTransaction, sub: string): Promise<number | undefined> {
    const [row] = await tx.query<{ generation: number }>(
      'update lockstep.users set generation = generation + 1, generation_at = $2 where id = $1 returning generation',
      [sub, microsToIso(this.#clock())],
    );
    return row?.generation;
  }

  async deleteExpired(tx: RecordTransaction): Promise<void> {
    await tx.query('delete from lockstep.sessions where expires_at <= $1', [microsToIso(this.#clock())]);
  }

  async #rotate(id: Buffer, secret: Buffer): Promise<Session | undefined> {
    const next = randomBytes(SECRET_BYTES);
    const { value } = await this.#record.transaction(async (tx) => {
      const [row] = await tx.query<AccountRow & { secret_hash: Uint8Array; auth_time: number }>(
        `select ${ACCOUNT_COLUMNS}, s.secret_hash, s.auth_time
         from lockstep.sessions s join lockstep.users u on u.id = s.user_id
         where s.id = $1 and s.expires_at > $2 for update of s`,
        [id.toString('hex'), microsToIso(this.#clock())],
      );
      if (!row) return undefined;
      if (!timingSafeEqual(sha256(secret), row.secret_hash)) {
        await tx.query('delete from lockstep.sessions where id = $1', [id.toString('hex')]);
        return undefined;
      }
      await tx.query('update lockstep.sessions set secret_hash = $2 where id = $1', [id.toString('hex'), sha256(next)]);
      return { account: toAccount(row), refreshToken: toToken(id, next), authTime: row.auth_time };
    });
    return value;
  }
}

function toToken(id: Buffer, secret: Buffer): string {
  return Buffer.concat([id, secret]).toString('base64url');
}

function fromToken(token: string): { id: Buffer; secret: Buffer } | undefined {
  if (!REFRESH_TOKEN.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  return { id: bytes.subarray(0, ID_BYTES), secret: bytes.subarray(ID_BYTES) };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
