/** Calls the routes of heroes as `curl` would. For tests. */
export class HeroesClient {
  readonly #base: string;

  constructor(options: { url: string }) {
    this.#base = `${options.url}/heroes`;
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Called> {
    const isJson = body !== undefined && headers['content-type'] === undefined;
    const response = await fetch(this.#base + path, {
      method,
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : (body as string) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : parsed(text), headers: response.headers };
  }

  /** `{"REQUEST":"read"}` */
  read(ids: readonly unknown[], cache: unknown = 'True'): Promise<Called> {
    return this.call('POST', '/', { USE_CACHE: cache, REQUEST: 'read', SQLS: ids });
  }

  /** `{"REQUEST":"write"}` */
  write(heroes: readonly unknown[], cache: unknown = 'True'): Promise<Called> {
    return this.call('POST', '/', { USE_CACHE: cache, REQUEST: 'write', SQLS: heroes });
  }

  async cache(): Promise<CacheReport> {
    return (await this.call('GET', '/cache')).body as CacheReport;
  }
}

export interface Called {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON it is, the test says what it expects
  readonly body: any;
  readonly headers: Headers;
}

export interface CacheReport {
  readonly hits: number;
  readonly misses: number;
  readonly hitRatio: number | null;
  readonly rows: number;
  readonly evictions: number;
}

export const hero = (changes: object = {}) => ({
  ...{ hero: 'yes', name: 'fireman', power: 'fire', color: 'red', xp: 10 },
  ...changes,
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
