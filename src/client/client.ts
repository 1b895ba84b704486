import { type Answered, type SendOptions, send } from './http.ts';
import { LiveClient } from './live.ts';
import { Problem } from './problem.ts';
import { Session, type TokenStorage } from './session.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a call takes and gives, where an API is described. */
export interface Endpoint {
  readonly query?: object;
  readonly body?: unknown;
  readonly answer: unknown;
}

/** An API by its calls: `{ 'GET /leaderboard/scores/{date}': { query: { limit?: number }; answer: Boards } }`. */
export type Api = Readonly<Record<`${Method} /${string}`, Endpoint>>;

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

type Params<Path extends string> = [ParamNames<Path>] extends [never]
  ? { readonly params?: undefined }
  : { readonly params: Readonly<Record<ParamNames<Path>, string | number>> };

type Query<E> = E extends { readonly query: infer Q }
  ? object extends Q
    ? { readonly query?: Q }
    : { readonly query: Q }
  : { readonly query?: Readonly<Record<string, string | number | boolean | undefined>> };

type Body<E> = E extends { readonly body: infer B } ? { readonly body: B } : { readonly body?: unknown };

export type CallOptions<A extends Api, Name extends keyof A & string> = Params<Name> &
  Query<A[Name]> &
  Body<A[Name]> &
  Pick<SendOptions, 'headers' | 'signal'>;

type AnswerOf<E> = E extends { readonly answer: infer T } ? T : unknown;

type Arguments<Options> = object extends Options ? [options?: Options] : [options: Options];

/** Any call, where no API is described. */
export type AnyApi = Readonly<Record<`${Method} /${string}`, { readonly answer: unknown }>>;

export interface ClientOptions {
  /** Of the server: `https://example.org`. In a browser the page's own unless told. */
  readonly url?: string;
  /** Where the refresh token is kept; in a browser the tab's `sessionStorage`, otherwise memory, unless told. */
  readonly storage?: TokenStorage;
}

/** How long after a write reads ask to see it: on the node that took it they do anyway, on others views follow in milliseconds. */
const CARRY_MS = 10_000;

/** One server, as one user: calls, the session, subscriptions. */
export class Client<A extends Api = AnyApi> {
  readonly session: Session;
  readonly live: LiveClient;
  readonly #url: string;
  #written: { readonly position: string; readonly at: number } | undefined;

  constructor({ url = location.origin, storage = defaultStorage() }: ClientOptions = {}) {
    this.#url = url.replace(/\/$/, '');
    this.session = new Session({ url: this.#url, storage });
    this.live = new LiveClient({ url: `${this.#url.replace(/^http/, 'ws')}/live`, token: () => this.session.token() });
    // What may be followed depends on who is signed in.
    this.session.onUser(() => this.live.reconnect());
  }

  /**
   * `call('GET /leaderboard/scores/{date}', { params: { date: '2026-11-20' }, query: { limit: 5 } })`. In the name of who is signed
   * in, if anybody. A read that comes after a write shows it, on whichever node. Throws `Problem`.
   */
  async call<Name extends keyof A & string>(
    name: Name,
    ...[options]: Arguments<CallOptions<A, Name>>
  ): Promise<AnswerOf<A[Name]>> {
    return (await this.send<AnswerOf<A[Name]>>(name, (options ?? {}) as CallParts)).body;
  }

  /** The same with the answer's headers; any call and answer. */
  async send<T = unknown>(name: string, parts: CallParts = {}): Promise<Answered<T>> {
    const [method, path] = split(name);
    const url = this.#url + filled(path, parts);
    const isRead = method === 'GET';
    const token = await this.session.token();
    const min = isRead ? this.#carried() : undefined;
    const headers = {
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(min && { 'Lockstep-Min-Position': min }),
      ...parts.headers,
    };
    try {
      const answered = await send<T>(method, url, { ...parts, headers });
      if (!isRead) this.#carry(answered.headers);
      return answered;
    } catch (error) {
      // The record failed over or was restored: the position is of another log.
      if (!min || !(error instanceof Problem) || (error.status !== 409 && error.status !== 400)) throw error;
      this.#written = undefined;
      const { 'Lockstep-Min-Position': _, ...rest } = headers;
      return send<T>(method, url, { ...parts, headers: rest });
    }
  }

  #carry(headers: Headers): void {
    const position = headers.get('lockstep-position');
    if (position) this.#written = { position, at: Date.now() };
  }

  #carried(): string | undefined {
    if (this.#written && Date.now() - this.#written.at > CARRY_MS) this.#written = undefined;
    return this.#written?.position;
  }
}

interface CallParts extends SendOptions {
  readonly params?: Readonly<Record<string, string | number>> | undefined;
  readonly query?: object | undefined;
}

function split(name: string): [string, string] {
  const space = name.indexOf(' ');
  return [name.slice(0, space), name.slice(space + 1)];
}

function filled(path: string, { params = {}, query = {} }: CallParts): string {
  const full = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (params[name] === undefined) throw new TypeError(`${path} needs the parameter "${name}".`);
    return encodeURIComponent(params[name]);
  });
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return search ? `${full}?${search}` : full;
}

function defaultStorage(): TokenStorage {
  if (typeof sessionStorage !== 'undefined' && typeof document !== 'undefined') return sessionStorage;
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
