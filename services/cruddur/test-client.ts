import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface Called<T = unknown> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** Calls the contract's routes as `curl` would. For tests. */
export class TestClient {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor(options: { url: string; token?: string }) {
    this.#url = options.url;
    this.#token = options.token;
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Called<T>> {
    const response = await fetch(`${this.#url}/cruddur/api${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T, headers: response.headers };
  }

  /** The body of a call that succeeds. */
  async get<T = unknown>(path: string): Promise<T> {
    return this.#good('GET', path);
  }

  async post<T = unknown>(path: string, body?: unknown): Promise<T> {
    return this.#good('POST', path, body);
  }

  async delete<T = unknown>(path: string): Promise<T> {
    return this.#good('DELETE', path);
  }

  /** A client of a new account, whose handle is its name. */
  async signUp(username: string): Promise<TestClient> {
    const account = { username, password: 'Tr0ub4dour', email: `${encodeURIComponent(username)}@example.com` };
    await this.#identity('users', account);
    const { idToken } = (await this.#identity('login', account)) as { idToken: string };
    return new TestClient({ url: this.#url, token: idToken });
  }

  get url(): string {
    return this.#url;
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** Follows a topic; what comes is in `got`. */
  async follow(t: TestContext, topic: string): Promise<Followed> {
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/live`, {
      headers: this.#token ? { authorization: `Bearer ${this.#token}` } : {},
    });
    t.after(() => socket.terminate());
    const followed = new Followed();
    socket.on('message', (text) => followed.received(JSON.parse(String(text))));
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: topic }));
    await followed.until(() => followed.answer !== undefined);
    return followed;
  }

  async #good<T>(method: string, path: string, body?: unknown): Promise<T> {
    const called = await this.call<T>(method, path, body);
    if (called.status !== 200) throw new Error(`${method} ${path}: ${called.status} ${JSON.stringify(called.body)}`);
    return called.body;
  }

  async #identity(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.#url}/identity/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** What a followed topic sent. */
export class Followed {
  readonly got: Record<string, unknown>[] = [];
  /** The answer to the subscription. */
  answer: Record<string, unknown> | undefined;

  received(message: Record<string, unknown>): void {
    if (message.event === undefined) this.answer = message;
    else if (message.event !== 'resync') this.got.push(...(message.data as Record<string, unknown>[]));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(2);
  }

  /** Waits for something that has these members. */
  async sees(members: Record<string, unknown>): Promise<Record<string, unknown>> {
    const like = (one: Record<string, unknown>) => Object.entries(members).every(([key, value]) => one[key] === value);
    await this.until(() => this.got.some(like));
    return this.got.find(like)!;
  }
}
