/** Calls the leaderboard's routes as `curl` would. For tests. */
export class TestClient {
  readonly #base: string;

  constructor(options: { url: string }) {
    this.#base = `${options.url}/leaderboard`;
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Called> {
    const { token, body, headers } = options;
    const response = await fetch(this.#base + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: token }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text), headers: response.headers };
  }

  async get(path: string): Promise<unknown> {
    return (await this.call('GET', path)).body;
  }

  /** Makes an account, unless there is one, and returns its ID token. */
  async account(username: string, password = 'Tr0ub4dour'): Promise<string> {
    const made = await this.call('POST', '/users', { body: { username, password, email: `${username}@example.com` } });
    const { status, body } = await this.call('POST', '/login', { body: { username, password } });
    if (status !== 200) throw new Error(`no account of ${username}: ${JSON.stringify([made.body, body])}`);
    return (body as { idToken: string }).idToken;
  }
}

export interface CallOptions {
  readonly token?: string;
  /** JSON, or a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Called {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
