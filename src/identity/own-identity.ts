import { ClientError } from '../record/errors.ts';
import type { Log } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import { MICROS_PER_DAY } from '../record/time.ts';
import {
  addRole,
  deleteUnconfirmed,
  findAccount,
  insertAccount,
  listAccounts,
  publicAccount,
  removeRole,
  type StoredAccount,
  setPasswordHash,
} from './accounts.ts';
import type { ConfirmationFlow } from './confirmation-flow.ts';
import type { Generations } from './generations.ts';
import {
  type Account,
  type IdentityServer,
  type JwksDocument,
  type OnConfirmed,
  REFRESH_SECONDS,
  type Tokens,
  type User,
} from './identity.ts';
import type { Keyring } from './keyring.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { OwnTokens } from './own-tokens.ts';
import type { PasswordHasher } from './passwords.ts';
import { checkEmail, checkPassword, checkRole, checkUsername, normalPassword } from './policy.ts';
import { repeat, type Stop } from './repeat.ts';
import type { Sessions } from './sessions.ts';
import type { Verifier } from './verifier.ts';

/** What `OwnIdentity` is put together from; `openIdentity` does. */
export interface OwnIdentityParts {
  readonly record: PgRecord;
  readonly issuer: string;
  readonly passwords: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly sessions: Sessions;
  readonly generations: Generations;
  readonly keyring: Keyring;
  readonly tokens: OwnTokens;
  readonly verifier: Verifier;
  /** Undefined: addresses need no confirmation. */
  readonly confirmations: ConfirmationFlow | undefined;
  readonly onConfirmed: OnConfirmed;
  readonly log: Log;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

const MAINTAIN_SECONDS = 3600;
/** An unconfirmed account gives its name back after so many days. */
const UNCONFIRMED_DAYS = 7;

/** Lockstep's own accounts. */
export class OwnIdentity implements IdentityServer {
  readonly external = false;
  readonly #parts: OwnIdentityParts;
  readonly #stops: Stop[] = [];

  constructor(parts: OwnIdentityParts) {
    this.#parts = parts;
  }

  get issuer(): string {
    return this.#parts.issuer;
  }

  async signUp({ username, password, email }: { username: string; password: string; email: string }): Promise<User> {
    const { record, passwords, confirmations, onConfirmed, clock } = this.#parts;
    const account = { username: checkUsername(username), email: checkEmail(email) };
    const passwordHash = await passwords.hash(checkPassword(password));
    const row = { ...account, passwordHash, mustConfirm: confirmations !== undefined, createdAt: clock() };
    const { value } = await record.transaction(async (tx) => {
      const created = await insertAccount(tx, row);
      if (!confirmations) await onConfirmed(tx, toUser(created));
      return { created, code: await confirmations?.createCode(tx, created) };
    });
    if (value.code) await confirmations?.send(value.created, value.code);
    return toUser(value.created);
  }

  async login({
    username,
    password,
    address,
  }: {
    username: string;
    password: string;
    address: string;
  }): Promise<Tokens> {
    const attempt = this.#parts.throttle.start(username, address);
    try {
      const account = await this.#authenticate(username, password);
      if (!account) {
        attempt.fail();
        throw new ClientError(401, 'Incorrect username or password.');
      }
      return await this.#logIn(account);
    } finally {
      attempt.end();
    }
  }

  async refresh(refreshToken: string): Promise<Tokens> {
    const { account, authTime, refreshToken: next } = await this.#parts.sessions.refresh(refreshToken);
    return { ...(await this.#parts.tokens.issue({ ...account, authTime })), refreshToken: next };
  }

  logout(refreshToken: string): Promise<void> {
    return this.#parts.sessions.endOne(refreshToken);
  }

  async logoutEverywhere({ sub }: User): Promise<void> {
    const { record, sessions, generations } = this.#parts;
    const { value } = await record.transaction((tx) => sessions.end(tx, sub));
    if (value !== undefined) generations.raise(sub, value);
  }

  verify(token: string | undefined): User | Promise<User> {
    return this.#parts.verifier.verify(token);
  }

  async nameOf(username: string): Promise<string | undefined> {
    return (await findAccount(this.#parts.record, username))?.username;
  }

  confirm(confirmation: { username: string; code: string; address: string }): Promise<void> {
    return this.#confirmations().confirm(confirmation);
  }

  resendConfirmation(request: { username: string; address: string }): Promise<void> {
    return this.#confirmations().resend(request);
  }

  listUsers({ after = '', limit = 1000 }: { after?: string; limit?: number } = {}): Promise<Account[]> {
    return listAccounts(this.#parts.record, after, limit);
  }

  async grant(username: string, role: string): Promise<Account> {
    const { value } = await this.#parts.record.transaction((tx) => addRole(tx, username, checkRole(role)));
    return publicAccount(value);
  }

  async revoke(username: string, role: string): Promise<Account> {
    const { record, sessions, generations } = this.#parts;
    const { value } = await record.transaction(async (tx) => {
      const account = await removeRole(tx, username, checkRole(role));
      return { account, generation: (await sessions.endTokens(tx, account.sub))! };
    });
    generations.raise(value.account.sub, value.generation);
    return publicAccount(value.account);
  }

  rotateKeys(): Promise<string> {
    return this.#parts.keyring.rotate();
  }

  jwks(): JwksDocument {
    return this.#parts.keyring.jwks();
  }

  /**
   * What a verifier of the tokens needs (OpenID Connect Discovery 1.0, 3). Lockstep is no authorization server: tokens come from
   * `POST /identity/login`, so there is no authorization endpoint to name.
   */
  discovery(): Readonly<Record<string, unknown>> {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/.well-known/jwks.json`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
      claims_supported: [
        'sub',
        'cognito:username',
        'cognito:groups',
        'email',
        'email_verified',
        'token_use',
        'auth_time',
      ],
    };
  }

  /** Brings in what other processes changed: keys and ended tokens. */
  async refreshFromRecord(): Promise<void> {
    await Promise.all([this.#parts.keyring.refresh(), this.#parts.generations.refresh()]);
  }

  /** Rotates keys when due and deletes what has expired. */
  async maintain(): Promise<void> {
    const { record, sessions, keyring, clock } = this.#parts;
    await keyring.maintain();
    await record.transaction(async (tx) => {
      await sessions.deleteExpired(tx);
      await deleteUnconfirmed(tx, clock() - UNCONFIRMED_DAYS * MICROS_PER_DAY);
    });
  }

  /** Keeps in step with the record, and the record tidy, until closed. */
  start(): void {
    const onError = (error: unknown) =>
      this.#parts.log.warn({ err: error }, 'Keys and ended tokens could not be brought up to date; trying again');
    this.#stops.push(
      repeat(REFRESH_SECONDS, () => this.refreshFromRecord(), onError),
      repeat(MAINTAIN_SECONDS, () => this.maintain(), onError),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
    await this.#parts.confirmations?.close();
  }

  /** The account whose password it is. An unknown name takes as long as a wrong password. */
  async #authenticate(username: string, password: string): Promise<StoredAccount | undefined> {
    const { record, passwords } = this.#parts;
    const account = await findAccount(record, username);
    if (!(await passwords.verify(account?.passwordHash, normalPassword(password))) || !account) return undefined;
    if (passwords.isOutdated(account.passwordHash)) await this.#hashAgain(account, password);
    return account;
  }

  async #hashAgain({ sub, passwordHash }: StoredAccount, password: string): Promise<void> {
    const newHash = await this.#parts.passwords.hash(normalPassword(password));
    await this.#parts.record.transaction((tx) => setPasswordHash(tx, sub, passwordHash, newHash));
  }

  async #logIn(account: StoredAccount): Promise<Tokens> {
    const { confirmations, sessions, tokens } = this.#parts;
    if (account.mustConfirm && confirmations) throw confirmations.required(account.username);
    const session = await sessions.start(account.sub);
    if (!session) throw new ClientError(401, 'Incorrect username or password.');
    const issued = await tokens.issue({ ...session.account, authTime: session.authTime });
    return { ...issued, refreshToken: session.refreshToken };
  }

  #confirmations(): ConfirmationFlow {
    if (this.#parts.confirmations) return this.#parts.confirmations;
    throw new ClientError(404, 'E-mail addresses need no confirmation here; log in.');
  }
}

function toUser({ sub, username, email, roles }: StoredAccount): User {
  return { sub, username, email, roles };
}
