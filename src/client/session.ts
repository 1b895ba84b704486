import { send } from './http.ts';
import { Problem } from './problem.ts';

interface Tokens {
  readonly idToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Who is signed in: null for nobody, undefined until a session from before is found or not (`resume`). */
export type SignedIn = { readonly username: string; readonly roles: readonly string[] } | null | undefined;

export interface TokenStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const STORED = 'lockstep-refresh';
/** A token is renewed this long before it ends. */
const EARLY_MS = 60_000;

/** The tokens of one user: the ID token in memory only, the refresh token, which works once, where the storage keeps it. */
export class Session {
  readonly #url: string;
  readonly #storage: TokenStorage;
  readonly #listeners = new Set<() => void>();
  #user: SignedIn;
  #idToken = '';
  #renewAt = 0;
  #renewal: Promise<void> | undefined;

  constructor({ url, storage }: { url: string; storage: TokenStorage }) {
    this.#url = url;
    this.#storage = storage;
    this.#user = storage.getItem(STORED) ? undefined : null;
  }

  get user(): SignedIn {
    return this.#user;
  }

  /** Calls `listener` when `user` changes, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The same for when somebody else is signed in than before, or nobody any more; not for a renewed token. */
  onUser(listener: () => void): () => void {
    let known = this.#user?.username;
    return this.subscribe(() => {
      const username = this.#user?.username;
      if (username === known) return;
      known = username;
      listener();
    });
  }

  /** Takes up the session that the storage kept, if there is one. */
  async resume(): Promise<void> {
    if (this.#user === undefined) await this.#renew().catch(() => {});
  }

  async signUp(account: { username: string; password: string; email: string }): Promise<void> {
    await send('POST', `${this.#url}/identity/users`, { body: account });
  }

  /** Proves with the code that was mailed that the e-mail address is one's own. */
  async confirm(username: string, code: string): Promise<void> {
    await send('POST', `${this.#url}/identity/confirm`, { body: { username, code } });
  }

  async logIn(credentials: { username: string; password: string }): Promise<void> {
    const { body } = await send<Tokens>('POST', `${this.#url}/identity/login`, { body: credentials });
    this.#hold(body);
  }

  /** Ends the session here and, where it answers, on the server. */
  async logOut(): Promise<void> {
    const refreshToken = this.#storage.getItem(STORED);
    this.#drop();
    if (refreshToken) await send('POST', `${this.#url}/identity/logout`, { body: { refreshToken } }).catch(() => {});
  }

  /**
   * A token that is good for a while yet; undefined when nobody is signed in, or not any more. Throws `Problem` where the server does
   * not answer.
   */
  async token(): Promise<string | undefined> {
    if (!this.#storage.getItem(STORED) && !this.#idToken) return undefined;
    if (Date.now() >= this.#renewAt) {
      await this.#renew().catch((error) => {
        if (!isRefusal(error)) throw error;
      });
    }
    return this.#idToken || undefined;
  }

  /** Has new tokens made: they carry the roles of now. Throws `Problem` where that is refused. */
  async renew(): Promise<void> {
    if (this.#storage.getItem(STORED)) await this.#renew();
  }

  /** One renewal at a time: a refresh token works once. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#refresh().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #refresh(): Promise<void> {
    const refreshToken = this.#storage.getItem(STORED);
    try {
      const { body } = await send<Tokens>('POST', `${this.#url}/identity/refresh`, { body: { refreshToken } });
      this.#hold(body);
    } catch (error) {
      // Without an answer the token may still be good: it stays for the next try.
      if (isRefusal(error)) this.#drop();
      else this.#tell(null);
      throw error;
    }
  }

  #hold({ idToken, refreshToken, expiresIn }: Tokens): void {
    this.#storage.setItem(STORED, refreshToken);
    this.#idToken = idToken;
    this.#renewAt = Date.now() + expiresIn * 1000 - EARLY_MS;
    this.#tell(userOf(idToken));
  }

  #drop(): void {
    this.#storage.removeItem(STORED);
    this.#idToken = '';
    this.#renewAt = 0;
    this.#tell(null);
  }

  #tell(user: SignedIn): void {
    this.#user = user;
    for (const listener of this.#listeners) listener();
  }
}

/** Too early, too late, too often: nothing that the token could help. */
const PASSING = [408, 425, 429];

/** The token is no good. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status >= 400 && error.status < 500 && !PASSING.includes(error.status);
}

/** What the token says of its user. Only to be shown: the server verifies the token. */
function userOf(idToken: string): NonNullable<SignedIn> {
  const payload = idToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const roles = claims['cognito:groups'];
  return { username: String(claims['cognito:username'] ?? claims.sub), roles: Array.isArray(roles) ? roles : [] };
}
