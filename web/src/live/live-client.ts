/** What the server sends for a followed topic. */
export interface TopicMessage {
  readonly topic: string;
  readonly event: 'state' | 'event' | 'resync' | 'signal';
  readonly position: string;
  readonly previous: string | null;
  readonly data: unknown;
}

/** The answer to a subscription that cannot be. */
interface Refusal {
  readonly error: { readonly status: number; readonly topic?: string };
}

/** The answer to a subscription that is. */
interface Subscribed {
  readonly subscribed: string;
}

export type Connection = 'connecting' | 'live' | 'offline';

interface Follower {
  /** Where to resume. */
  position: string | null;
  readonly onMessage: (message: TopicMessage) => void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** After a token was refused: time for a new one, and no storm where there is none. */
const RENEW_RETRY_MS = 2000;

export interface LiveClientOptions {
  readonly url: string;
  /** Whose topics may be followed, asked at each connection; undefined is nobody. */
  readonly token?: () => Promise<string | undefined>;
}

/** One WebSocket for all topics a page follows; comes back by itself and resumes where each topic was. */
export class LiveClient {
  readonly #url: string;
  readonly #token: () => Promise<string | undefined>;
  readonly #followers = new Map<string, Follower>();
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | undefined;
  #connection: Connection = 'connecting';
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveClientOptions) {
    this.#url = options.url;
    this.#token = options.token ?? (async () => undefined);
    addEventListener('online', () => this.#connectNow());
    document.addEventListener('visibilitychange', () => document.hidden || this.#connectNow());
  }

  get connection(): Connection {
    return this.#connection;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows `<service>/<topic>/<key>` until the returned function is called. One follower a topic. */
  follow(topic: string, onMessage: (message: TopicMessage) => void): () => void {
    const follower: Follower = { position: null, onMessage };
    this.#followers.set(topic, follower);
    if (this.#connection === 'live') this.#ask(topic, follower);
    else this.#connectNow();
    return () => {
      if (this.#followers.get(topic) !== follower) return;
      this.#followers.delete(topic);
      this.#send({ unsubscribe: topic });
    };
  }

  #connectNow(): void {
    if (this.#socket || this.#followers.size === 0) return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => void this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(JSON.parse(String(data)) as TopicMessage | Refusal | Subscribed);
    socket.onclose = () => this.#closed();
  }

  /** Somebody else is signed in, or nobody any more: the server is told by a new connection. */
  reconnect(): void {
    // One that is not open yet will ask for the token when it is.
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#retryMs = 0;
    this.#socket.close();
  }

  async #opened(socket: WebSocket): Promise<void> {
    this.#retryMs = FIRST_RETRY_MS;
    const token = await this.#token();
    if (socket.readyState !== WebSocket.OPEN) return;
    if (token) this.#send({ token });
    this.#tell('live');
    for (const [topic, follower] of this.#followers) this.#ask(topic, follower);
  }

  #received(message: TopicMessage | Refusal | Subscribed): void {
    if ('subscribed' in message) this.#subscribed(message.subscribed);
    if ('error' in message) this.#refused(message.error);
    const follower = 'event' in message ? this.#followers.get(message.topic) : undefined;
    if (!follower || !('event' in message)) return;
    follower.position = message.event === 'resync' ? null : message.position;
    follower.onMessage(message);
  }

  /** From here on nothing is missed; what was before, where there was no position to resume from, may have been. */
  #subscribed(topic: string): void {
    const follower = this.#followers.get(topic);
    if (follower?.position !== null) return;
    follower.onMessage({ topic, event: 'resync', position: '', previous: null, data: null });
  }

  /** Where the position was the reason (the record was restored meanwhile), the topic starts anew without one. */
  #refused({ status, topic }: Refusal['error']): void {
    // The token has run out, and what it opened is closed: a connection with a new one goes on from there.
    if (status === 401 && topic === undefined) {
      this.#retryMs = RENEW_RETRY_MS;
      this.#socket?.close();
    }
    const follower = topic === undefined ? undefined : this.#followers.get(topic);
    if (!follower || follower.position === null) return;
    follower.position = null;
    this.#ask(topic!, follower);
  }

  #closed(): void {
    this.#socket = undefined;
    this.#tell('offline');
    // Spread out: after a restart of the server not all of its clients come at once.
    this.#retry = setTimeout(() => this.#connectNow(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
  }

  #ask(topic: string, { position }: Follower): void {
    this.#send({ subscribe: topic, from: position });
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #tell(connection: Connection): void {
    this.#connection = connection;
    for (const listener of this.#listeners) listener();
  }
}
