/** What the server sends for a followed topic. */
export interface TopicMessage<Data = unknown> {
  readonly topic: string;
  /** `resync`: something may have been missed; start over from a read. */
  readonly event: 'state' | 'event' | 'resync';
  readonly position: string;
  readonly previous: string | null;
  readonly data: Data;
}

/** The answer to a subscription that cannot be. */
interface Refusal {
  readonly error: { readonly status: number; readonly message: string; readonly topic?: string };
}

export type Connection = 'connecting' | 'live' | 'offline';

export interface Follower<Data = unknown> {
  onMessage(message: TopicMessage<Data>): void;
  /** The server does not let this user follow the topic, or there is none of the name. */
  onRefused?(status: number, message: string): void;
}

interface Followed extends Follower {
  /** Where to resume. */
  position: string | null;
}

export interface LiveOptions {
  /** `ws://localhost:8080/live` */
  readonly url: string;
  /** Sent before the subscriptions, each time a connection opens. */
  token?(): Promise<string | undefined>;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

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

  /** Follows `<service>/<topic>/<key>` until the returned function is called. One follower a topic. */
  follow<Data = unknown>(topic: string, follower: Follower<Data>): () => void {
    const followed: Followed = { ...(follower as Follower), position: null };
    this.#followed.set(topic, followed);
    if (this.#isReady) this.#ask(topic, followed);
    else this.#connect();
    return () => {
      if (this.#followed.get(topic) !== followed) return;
      this.#followed.delete(topic);
      this.#send({ unsubscribe: topic });
    };
  }

  /** Follows nothing any more. */
  close(): void {
    this.#followed.clear();
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #connect(): void {
    if (this.#socket || this.#followed.size === 0) return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => void this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(JSON.parse(String(data)) as TopicMessage | Refusal);
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

  #received(message: TopicMessage | Refusal): void {
    if ('error' in message) this.#refused(message.error);
    const followed = 'event' in message ? this.#followed.get(message.topic) : undefined;
    if (!followed || !('event' in message)) return;
    followed.position = message.event === 'resync' ? null : message.position;
    followed.onMessage(message);
  }

  /** Where the position was the reason (the record was restored meanwhile), the topic starts anew without one. */
  #refused({ status, message, topic }: Refusal['error']): void {
    const followed = topic === undefined ? undefined : this.#followed.get(topic);
    if (!followed) return;
    if (followed.position === null) followed.onRefused?.(status, message);
    else {
      followed.position = null;
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
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
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
