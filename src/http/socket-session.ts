import type { RawData, WebSocket } from 'ws';
import type { Position } from '../changes/position.ts';
import type { EncodedMessage, Subscription } from '../live/topics.ts';
import { ClientError } from '../record/errors.ts';
import type { Connection } from './connections.ts';
import { errorMember } from './errors.ts';
import type { Kit } from './kit.ts';
import { positionFrom } from './positions.ts';
import { Session } from './token.ts';

export interface SocketLimits {
  /** Topics one connection follows; 100 unless told. */
  readonly maxSubscriptions?: number;
  /** Messages from the client; 50 a second unless told, twice as many at once. */
  readonly messagesPerSecond?: number;
  /** Bytes that may wait for a slow client before it is dropped; 1 MiB unless told. */
  readonly maxQueuedBytes?: number;
  /** Milliseconds a client has to answer a close; 2000 unless told. */
  readonly closeMs?: number;
}

/** Close codes. Source: RFC 6455, 7.4.1, and the IANA registry. */
const POLICY = 1008;
const RESTART = 1012;
const TRY_AGAIN = 1013;

/**
 * One client's WebSocket. It sends JSON objects: `{"subscribe":"<service>/<topic>/<key>","from":"<position>"}`,
 * `{"unsubscribe":"..."}`, `{"token":"..."}`; each is answered with `{"subscribed":...}`, `{"unsubscribed":...}`,
 * `{"authenticated":"<username>"}` or `{"error":{...}}`, in their order. Everything else it gets is a `TopicMessage`.
 */
export class SocketSession implements Connection {
  readonly kind = 'websocket';
  readonly #kit: Kit;
  readonly #limits: Required<SocketLimits>;
  readonly #session: Session;
  readonly #subscriptions = new Map<string, Subscription>();
  #socket: WebSocket | undefined;
  #alive = true;
  #closed = false;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();
  #credit: number;
  #creditAt = performance.now();

  constructor(kit: Kit, limits: SocketLimits) {
    this.#kit = kit;
    this.#limits = { maxSubscriptions: 100, messagesPerSecond: 50, maxQueuedBytes: 2 ** 20, closeMs: 2000, ...limits };
    this.#session = new Session(kit.identity);
    this.#credit = this.#limits.messagesPerSecond * 2;
  }

  /** Throws 401 for a bad token. */
  async authenticate(token: string): Promise<string> {
    const before = this.#session.user?.sub;
    const user = await this.#session.use(token);
    // What was allowed to one user is not carried over to another.
    if (before !== undefined && before !== user.sub) this.#unsubscribeAll();
    return user.username;
  }

  attach(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('pong', () => {
      this.#alive = true;
    });
    // ws closes the connection by itself on a bad frame; without a listener the process would end.
    socket.on('error', (error) => this.#kit.log.debug({ err: error }, 'websocket'));
    socket.on('close', () => this.#forget());
    if (this.#closed) this.#goodbye(RESTART, 'the server is stopping; connect again');
  }

  beat(): void {
    if (!this.#alive) this.destroy();
    this.#alive = false;
    if (!this.#closed) this.#socket?.ping();
    void this.#session.isValid().then((valid) => valid || this.#signOut());
  }

  end(): void {
    this.#close(RESTART, 'the server is stopping; connect again and resume');
  }

  destroy(): void {
    this.#forget();
    this.#socket?.terminate();
  }

  /** One message at a time: a subscription that follows a token sees it accepted. */
  #received(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    if (!this.#spend() || this.#waiting >= this.#limits.messagesPerSecond * 2) {
      this.#close(POLICY, `more than ${this.#limits.messagesPerSecond} messages a second`);
      return;
    }
    this.#waiting++;
    this.#turn = this.#turn.then(async () => {
      this.#waiting--;
      if (!this.#closed) await this.#answer(isBinary ? '' : String(data));
    });
  }

  async #answer(text: string): Promise<void> {
    try {
      this.#send(JSON.stringify(await this.#handle(parseMessage(text))));
    } catch (error) {
      this.#send(JSON.stringify({ error: errorMember(error, this.#kit.log) }));
    }
  }

  async #handle(message: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { subscribe, unsubscribe, token, from } = message;
    if (typeof token === 'string') return { authenticated: await this.authenticate(token) };
    if (typeof unsubscribe === 'string') return this.#unsubscribe(unsubscribe);
    if (typeof subscribe === 'string') return this.#subscribe(subscribe, from);
    throw new ClientError(
      400,
      'Send {"subscribe":"<service>/<topic>/<key>"}, {"unsubscribe":"..."} or {"token":"..."}.',
    );
  }

  async #subscribe(topic: string, from: unknown): Promise<unknown> {
    if (this.#subscriptions.has(topic))
      throw new ClientError(409, 'This topic is followed already.', { members: { topic } });
    if (this.#subscriptions.size >= this.#limits.maxSubscriptions) {
      throw new ClientError(429, `A connection follows at most ${this.#limits.maxSubscriptions} topics.`, {
        members: { topic },
      });
    }
    try {
      const options = { from: resumeFrom(from), user: this.#session.user, deliver: this.#deliver };
      const subscription = await this.#kit.topics.subscribe(topic, options);
      if (this.#closed) subscription.unsubscribe();
      else this.#subscriptions.set(topic, subscription);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      throw new ClientError(error.status, error.message, { members: { ...error.members, topic } });
    }
    return { subscribed: topic };
  }

  #unsubscribe(topic: string): unknown {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) throw new ClientError(404, 'This topic is not followed.', { members: { topic } });
    this.#subscriptions.delete(topic);
    subscription.unsubscribe();
    return { unsubscribed: topic };
  }

  readonly #deliver = (message: EncodedMessage): void => this.#send(bytesOf(message));

  /** Drops the client rather than queue more than the limit; one message alone may be larger. */
  #send(data: string | Buffer): void {
    const socket = this.#socket;
    if (!socket || this.#closed) return;
    const queued = socket.bufferedAmount;
    if (queued > 0 && queued + data.length > this.#limits.maxQueuedBytes) {
      this.#close(TRY_AGAIN, 'too slow: messages pile up; connect again and resume');
    } else {
      socket.send(data, { binary: false });
    }
  }

  /** Whether one more message is within the rate. */
  #spend(): boolean {
    const now = performance.now();
    const rate = this.#limits.messagesPerSecond;
    this.#credit = Math.min(rate * 2, this.#credit + ((now - this.#creditAt) * rate) / 1000) - 1;
    this.#creditAt = now;
    return this.#credit >= 0;
  }

  #signOut(): void {
    this.#unsubscribeAll();
    this.#send(
      JSON.stringify({ error: { status: 401, message: 'The token has run out; send a new one and subscribe again.' } }),
    );
  }

  /** A client that does not answer the close in time is cut off. */
  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#forget();
    this.#goodbye(code, reason);
  }

  #goodbye(code: number, reason: string): void {
    this.#socket?.close(code, reason);
    setTimeout(() => this.#socket?.terminate(), this.#limits.closeMs).unref();
  }

  #forget(): void {
    this.#closed = true;
    this.#unsubscribeAll();
  }

  #unsubscribeAll(): void {
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
  }
}

function parseMessage(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ClientError(400, 'A message must be a JSON object, sent as text.');
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new ClientError(400, 'A message must be a JSON object.');
}

function resumeFrom(from: unknown): Position | null {
  return from === undefined || from === null ? null : positionFrom(typeof from === 'string' ? from : '', '"from"');
}

let lastMessage: EncodedMessage | undefined;
let lastBytes = Buffer.alloc(0);

/** A message goes to all its subscribers in one go: its bytes are made once for them. */
function bytesOf(message: EncodedMessage): Buffer {
  if (message !== lastMessage) {
    lastBytes = Buffer.from(message.json());
    lastMessage = message;
  }
  return lastBytes;
}
