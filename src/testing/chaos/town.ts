import { randomFrom } from '../../runtime/random.ts';

/** A node that is called, as a load sees it. */
export interface Called {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON it is, the load says what it expects
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 15_000;

/** The nodes as their clients see them: any of them may be called, and any of them may be away. */
export class Town {
  readonly urls: readonly string[];
  /** What should never have been: the test fails with these. */
  readonly faults: string[] = [];
  /** Of calls that were answered, and of those that were not. */
  answered = 0;
  failed = 0;
  /** Answers by where they came from. */
  readonly sources = { view: 0, record: 0 };
  #over = false;
  readonly #random: () => number;

  constructor(urls: readonly string[], seed: number) {
    this.urls = urls;
    this.#random = randomFrom(seed);
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  random(below: number): number {
    return Math.floor(this.#random() * below);
  }

  anyUrl(): string {
    return this.urls[this.random(this.urls.length)]!;
  }

  /** Calls a node; undefined where it did not answer, or not in time. */
  async call(
    method: string,
    path: string,
    options: CallOptions = {},
    url = this.anyUrl(),
  ): Promise<Called | undefined> {
    const { body, token, headers } = options;
    try {
      const answer = await fetch(url + path, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: token }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      this.answered++;
      const source = answer.headers.get('lockstep-source');
      if (source === 'view' || source === 'record') this.sources[source]++;
      return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) };
    } catch {
      this.failed++;
      return undefined;
    }
  }

  /** Reads on any node what was written on another, with the write's position; undefined where none could answer. */
  async readAfter(written: Called, path: string, options: CallOptions = {}): Promise<Called | undefined> {
    const position = written.headers.get('lockstep-position');
    if (!position) return undefined;
    const headers = { ...options.headers, 'lockstep-min-position': position };
    const read = await this.call('GET', path, { ...options, headers });
    return read?.status === 200 ? read : undefined;
  }

  fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }
}
