import { type Answered, Problem, send } from '../http.ts';

interface Tokens {
  readonly idToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Who is signed in; `undefined` until a session of before the reload is found or not. */
export type User = { readonly username: string } | null | undefined;

const STORED = 'lockstep-refresh';
/** A token is renewed this long before it ends. */
const EARLY_MS = 60_000;

/** The tokens of this tab: the ID token in memory only, the refresh token for as long as the tab lives. */
class Session {
  #user: User;
  #idToken = '';
  #renewAt = 0;
  #renewal: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.#user = sessionStorage.getItem(STORED) ? undefined : null;
  }

  get user(): User {
    return this.#user;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes up the session of before the reload. */
  async resume(): Promise<void> {
    if (this.#user === undefined) await this.#renew().catch(() => {});
  }

  async signUp(account: { username: string; password: string; email: string }): Promise<void> {
    await send('POST', '/leaderboard/users', { body: account });
  }

  /** Proves with the code that was mailed that the e-mail address is one's own. */
  async confirm(username: string, code: string): Promise<void> {
    await send('POST', '/identity/confirm', { body: { username, code } });
  }

  async logIn({ username, password }: { username: string; password: string }): Promise<void> {
    const { body } = await send<Tokens>('POST', '/leaderboard/login', { body: { username, password } });
    this.#hold(body);
  }

  /** Ends the session here and on the server, where that answers. */
  async logOut(): Promise<void> {
    const refreshToken = sessionStorage.getItem(STORED);
    this.#drop();
    if (refreshToken) await send('POST', '/identity/logout', { body: { refreshToken } }).catch(() => {});
  }

  /** A request in the user's name; throws `Problem` 401 when nobody is signed in any more. */
  async send<T>(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answered<T>> {
    const token = await this.token();
    return send<T>(method, path, { ...options, headers: { ...options.headers, ...bearer(token) } });
  }

  /** A token in the user's name, where it goes elsewhere than into a request; throws `Problem` 401 when nobody is signed in. */
  async token(): Promise<string> {
    if (Date.now() >= this.#renewAt) await this.#renew();
    return this.#idToken;
  }

  /** One renewal at a time: a refresh token works once. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#refresh().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #refresh(): Promise<void> {
    const refreshToken = sessionStorage.getItem(STORED);
    try {
      if (!refreshToken) throw new Problem(401, 'Log in again to go on.');
      const { body } = await send<Tokens>('POST', '/identity/refresh', { body: { refreshToken } });
      this.#hold(body);
    } catch (error) {
      // Without an answer the token may still be good: it stays for the next try.
      if (error instanceof Problem && error.status >= 400 && error.status < 500) this.#drop();
      else this.#tell(null);
      throw error;
    }
  }

  #hold({ idToken, refreshToken, expiresIn }: Tokens): void {
    sessionStorage.setItem(STORED, refreshToken);
    this.#idToken = idToken;
    this.#renewAt = Date.now() + expiresIn * 1000 - EARLY_MS;
    this.#tell({ username: usernameOf(idToken) });
  }

  #drop(): void {
    sessionStorage.removeItem(STORED);
    this.#idToken = '';
    this.#renewAt = 0;
    this.#tell(null);
  }

  #tell(user: User): void {
    this.#user = user;
    for (const listener of this.#listeners) listener();
  }
}

function bearer(idToken: string): Record<string, string> {
  return { Authorization: `Bearer ${idToken}` };
}

/** The name in a token's claims. Only shown: the server verifies the token. */
function usernameOf(idToken: string): string {
  const payload = idToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>;
  return claims['cognito:username'] ?? claims.sub ?? '';
}

export const session = new Session();
