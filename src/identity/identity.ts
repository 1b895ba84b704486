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
  /** Creates an account. Throws 400 (weak password, bad e-mail, bad name), 409 (name or e-mail taken). */
  signUp(account: { username: string; password: string; email: string }): Promise<User>;
  /** Throws 401 `Incorrect username or password.` (equal timing for unknown users), 429 when throttled. */
  login(credentials: { username: string; password: string; address: string }): Promise<Tokens>;
  /** A new set of tokens for a refresh token, which is used up by it. A used one ends its whole family (reuse detection). */
  refresh(refreshToken: string): Promise<Tokens>;
  /** Ends every session of the user: no refresh token of theirs works from now on. */
  logoutEverywhere(user: User): Promise<void>;
  /** Verifies an ID or access token. Throws 401: `jwt must be provided`, `jwt expired`, `invalid token`. Synchronous when seen before. */
  verify(token: string | undefined): User | Promise<User>;
}
