/** What the server sends for a followed topic. */
export interface TopicMessage<Data = unknown> {
  readonly topic: string;
  /**
   * `resync`: something may have been missed: read anew what was read before. Also the first that comes of a topic of events, once it
   * is followed. `signal`: no change of the record, and not kept.
   */
  readonly event: 'state' | 'event' | 'resync' | 'signal';
  readonly position: string;
  readonly previous: string | null;
  readonly data: Data;
}

/** The answer to a subscription that cannot be; without a topic, the token has run out. */
interface Refusal {
  readonly error: { readonly status: number; readonly message: string; readonly topic?: string };
}

/** The answer to a subscription that is. */
interface Subscribed {
  readonly subscribed: string;
}

type Received = TopicMessage | Refusal | Subscribed;

export type Connection = 'connecting' | 'live' | 'offline';

export interface Follower<Data = unknown> {
  onMessage(message: TopicMessage<Data>): void;
  /** The server does not let this user follow the topic, or there is none of the name. */
  onRefused?(status: number, message: string): void;
}

interface Followed extends Follower {
  /** Where to resume. */
  position: string | null;
  /** Of the last event: the next one names it as `previous`. Null where that is not known. */
  last: string | null;
}

export interface LiveOptions {
  /** `ws://localhost:8080/live` */
  readonly url: string;
  /** Sent before the subscriptions, each time a connection opens. */
  token?(): Promise<string | undefined>;
}

/** Where there is none: before Node 22. */
const NO_WEBSOCKET =
  'Following a topic needs WebSocket: a browser, or Node 22 or newer. With an older Node, first: ' +
  "import { WebSocket } from 'ws'; globalThis.WebSocket = WebSocket;";
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** After a token was refused: time for a new one, and no storm where there is none. */
const RENEW_RETRY_MS = 2000;

/** One WebSocket for all topics that are followed; comes back by itself and resumes where each topic was. */
export class LiveClient {
  readonly #options: LiveOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | undefined;
  #isReady = false;
  #connection: Connection = 'connecting';
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    if (typeof document === 'undefined') return;
    addEventListener('online', () => this.#connect());
    document.addEventListener('visibilitychange', () => document.hidden || this.#connect());
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Calls `listener` when `connection` changes, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows `<service>/<topic>/<key>` until the returned function is called. One follower a topic. Throws without a WebSocket. */
  follow<Data = unknown>(topic: string, follower: Follower<Data>): () => void {
    if (typeof WebSocket === 'undefined') throw new Error(NO_WEBSOCKET);
    const followed: Followed = { ...(follower as Follower), position: null, last: null };
    this.#followed.set(topic, followed);
    if (this.#isReady) this.#ask(topic, followed);
    else this.#connect();
    return () => {
      if (this.#followed.get(topic) !== followed) return;
      this.#followed.delete(topic);
      this.#send({ unsubscribe: topic });
    };
  }

  /** Somebody else is signed in, or nobody any more: the server is told by a new connection. */
  reconnect(): void {
    // One that is not ready yet asks for the token when it is.
    if (!this.#isReady) return;
    this.#retryMs = 0;
    this.#socket!.close();
  }

  /** Follows nothing any more. */
  close(): void {
    this.#followed.clear();
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (!socket) return;
    // A browser complains of one that is closed before it is open.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }

  #connect(): void {
    if (this.#socket || this.#followed.size === 0) return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => void this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(JSON.parse(String(data)) as Received);
    socket.onclose = () => this.#closed();
  }

  async #opened(socket: WebSocket): Promise<void> {
    const token = await this.#options.token?.().catch(() => undefined);
    if (this.#socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    this.#retryMs = FIRST_RETRY_MS;
    this.#isReady = true;
    if (token) this.#send({ token });
    for (const [topic, followed] of this.#followed) this.#ask(topic, followed);
    this.#tell('live');
  }

  #received(message: Received): void {
    if ('subscribed' in message) this.#subscribed(message.subscribed);
    else if ('error' in message) this.#refused(message.error);
    else if ('event' in message) this.#delivered(message);
  }

  #delivered(message: TopicMessage): void {
    const followed = this.#followed.get(message.topic);
    if (!followed) return;
    const { event, position, previous } = message;
    if (event === 'event' && position === followed.last) return; // told twice
    // A state is whole; events follow each other, and one that does not has others missing before it.
    const isGap = (event === 'event' || event === 'signal') && previous && followed.last && previous !== followed.last;
    if (isGap) this.#resync(message.topic, followed);
    if (event === 'event') followed.last = position;
    else if (event === 'resync' || isGap) followed.last = null;
    followed.position = event === 'resync' ? null : position;
    followed.onMessage(message);
  }

  /** From here on nothing is missed; what was before, where there was no position to resume from, may have been. */
  #subscribed(topic: string): void {
    const followed = this.#followed.get(topic);
    if (followed?.position === null) this.#resync(topic, followed);
  }

  #resync(topic: string, followed: Followed): void {
    followed.onMessage({ topic, event: 'resync', position: '', previous: null, data: null });
  }

  #refused({ status, message, topic }: Refusal['error']): void {
    // The token has run out, and what it opened is closed: a connection with a new one goes on from there.
    if (status === 401 && topic === undefined) {
      this.#retryMs = RENEW_RETRY_MS;
      this.#socket?.close();
    }
    const followed = topic === undefined ? undefined : this.#followed.get(topic);
    if (!followed) return;
    // Where the position was the reason (the record was restored meanwhile), the topic starts anew without one.
    if (followed.position === null) followed.onRefused?.(status, message);
    else {
      followed.position = null;
      followed.last = null;
      this.#ask(topic!, followed);
    }
  }

  #closed(): void {
    this.#socket = undefined;
    this.#isReady = false;
    this.#tell('offline');
    if (this.#followed.size === 0) return;
    // Spread out: after a restart of the server not all of its clients come at once.
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
  }

  #ask(topic: string, { position }: Followed): void {
    this.#send({ subscribe: topic, from: position });
  }

  #send(message: object): void {
    if (this.#isReady) this.#socket!.send(JSON.stringify(message));
  }

  #tell(connection: Connection): void {
    this.#connection = connection;
    for (const listener of this.#listeners) listener();
  }
}
