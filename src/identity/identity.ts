import type { RecordTransaction } from '../record/record.ts';

/** Where confirmation codes are sent to, and asked for again; messages and mails name them. */
export const CONFIRM_PATH = '/identity/confirm';
export const RESEND_PATH = `${CONFIRM_PATH}/resend`;

/** Seconds until a process knows of tokens ended, and keys made, by others. */
export const REFRESH_SECONDS = 10;

/** Who is asking, from a verified token. */
export interface User {
  readonly sub: string;
  readonly username: string;
  readonly email: string | null;
  readonly roles: readonly string[];
}

export interface Tokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds the ID and access tokens are valid. */
  readonly expiresIn: number;
}

/** Accounts and tokens: Lockstep's own, or an external OIDC issuer's (`LOCKSTEP_ISSUER`). */
export interface Identity {
  /**
   * Creates an account. Throws 400 (weak password, bad e-mail, bad name) and 409 (name taken, or e-mail confirmed by another
   * account: an address nobody has confirmed blocks nobody).
   */
  signUp(account: { username: string; password: string; email: string }): Promise<User>;
  /**
   * Throws 401 `Incorrect username or password.` (equal timing for unknown users), 403 while the e-mail address is to be
   * confirmed, 429 when throttled, 503 when too many logins wait; the last two with `Retry-After`.
   */
  login(credentials: { username: string; password: string; address: string }): Promise<Tokens>;
  /** A new set of tokens for a refresh token, which is used up by it. A used one ends its whole session (reuse detection): 401. */
  refresh(refreshToken: string): Promise<Tokens>;
  /** Ends the session of this refresh token. Its ID and access tokens live on until they expire. Throws 400 for what cannot be one. */
  logout(refreshToken: string): Promise<void>;
  /**
   * Ends every session of the user: no refresh token of theirs works from now on. Their ID and access tokens end with them: at
   * once in this process, within `REFRESH_SECONDS` (10) in other processes on the record.
   */
  logoutEverywhere(user: User): Promise<void>;
  /** Verifies an ID or access token. Throws 401: `jwt must be provided`, `jwt expired`, `invalid token`. Synchronous when seen before. */
  verify(token: string | undefined): User | Promise<User>;
  /**
   * A user's name as tokens have it, whatever its case here; undefined where there is none. An external issuer's users are not
   * known here: the name as it is given.
   */
  nameOf(username: string): Promise<string | undefined>;
}

/** An account, as operators list it. */
export interface Account extends User {
  readonly emailVerified: boolean;
  /** Microseconds since 1970 UTC. */
  readonly createdAt: number;
}

export interface JwksDocument {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Called in the transaction that makes an account a user: at its sign-up, or where e-mail addresses must be confirmed, at that
 * confirmation. What it writes is there if and only if the user is; what it throws undoes both.
 */
export type OnConfirmed = (tx: RecordTransaction, user: User) => Promise<void>;

/** What `openIdentity` opens. With an external issuer everything but `verify`, `nameOf` and `close` throws 404, naming the issuer. */
export interface IdentityServer extends Identity {
  /** The issuer in the tokens' `iss`. */
  readonly issuer: string;
  readonly external: boolean;
  /** Confirms the e-mail address with the code mailed at sign-up. Throws 400 (wrong, used or expired), 409 (address confirmed by another account). */
  confirm(confirmation: { username: string; code: string; address: string }): Promise<void>;
  /** Mails a new code, which replaces the one before. Tells nobody whether the account exists. Throws 429. */
  resendConfirmation(request: { username: string; address: string }): Promise<void>;
  /** In order of their names, from after `after` on; at most `limit` (1000 unless told). */
  listUsers(options?: { after?: string; limit?: number }): Promise<Account[]>;
  /** Gives a role; it is in the tokens from the next login or refresh on. Throws 404 (no such user), 400 (no role name). */
  grant(username: string, role: string): Promise<Account>;
  /** Takes a role away, and ends the tokens that carry it (as `logoutEverywhere` does, but refresh tokens stay). Throws 404, 400. */
  revoke(username: string, role: string): Promise<Account>;
  /** Publishes the next signing key now; it signs once every verifier has had time to fetch it. Returns its `kid`. */
  rotateKeys(): Promise<string>;
  /** `/.well-known/jwks.json` */
  jwks(): JwksDocument;
  /** `/.well-known/openid-configuration` */
  discovery(): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}
