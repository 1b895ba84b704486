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

  /** Makes an account and returns its ID token. */
  async account(username: string, password = 'Tr0ub4dour'): Promise<string> {
    await this.#succeed('/users', { username, password, email: `${username}@example.com` });
    const { idToken } = (await this.#succeed('/login', { username, password })) as { idToken: string };
    return idToken;
  }

  async #succeed(path: string, sent: object): Promise<unknown> {
    const { status, body } = await this.call('POST', path, { body: sent });
    if (status >= 300) throw new Error(`POST ${path} was answered ${status}: ${JSON.stringify(body)}`);
    return body;
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
