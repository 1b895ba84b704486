import type { Position } from '../changes/position.ts';
import type { EncodedMessage, Subscription } from '../live/topics.ts';
import { ClientError } from '../record/errors.ts';
import { CLOSE, type ClientSocket, type SocketHandler } from './client-socket.ts';
import { errorMember } from './errors.ts';
import { textFrames } from './frames.ts';
import type { Kit } from './kit.ts';
import { positionFrom } from './positions.ts';
import { TokenBucket } from './token-bucket.ts';

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

const RUN_OUT = 'The token has run out; send a new one and subscribe again.';

/**
 * One client's WebSocket. It sends JSON objects: `{"subscribe":"<service>/<topic>/<key>","from":"<position>"}`,
 * `{"unsubscribe":"..."}`, `{"token":"..."}`; each is answered with `{"subscribed":...}`, `{"unsubscribed":...}`,
 * `{"authenticated":"<username>"}` or `{"error":{...}}`, in their order. Everything else it gets is a `TopicMessage`.
 */
export class SocketSession implements SocketHandler {
  readonly #kit: Kit;
  readonly #socket: ClientSocket;
  readonly #maxSubscriptions: number;
  readonly #messagesPerSecond: number;
  readonly #maxQueuedBytes: number;
  readonly #bucket: TokenBucket;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Goes up when all of them end: one that is under way then has ended too. */
  #edition = 0;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor({ kit, socket, limits }: { kit: Kit; socket: ClientSocket; limits: SocketLimits }) {
    this.#kit = kit;
    this.#socket = socket;
    this.#maxSubscriptions = limits.maxSubscriptions ?? 100;
    this.#messagesPerSecond = limits.messagesPerSecond ?? 50;
    this.#maxQueuedBytes = limits.maxQueuedBytes ?? 2 ** 20;
    this.#bucket = new TokenBucket({ perSecond: this.#messagesPerSecond });
  }

  closed(): void {
    this.#unsubscribeAll();
  }

  signedOut(): void {
    this.#unsubscribeAll();
    this.#send(JSON.stringify({ error: { status: 401, message: RUN_OUT } }));
  }

  /** One message at a time: a subscription that follows a token sees it accepted. */
  received(data: Buffer, isBinary: boolean): void {
    if (!this.#bucket.take() || this.#waiting >= this.#messagesPerSecond * 2) {
      this.#socket.close(CLOSE.policy, `more than ${this.#messagesPerSecond} messages a second`);
      return;
    }
    this.#waiting++;
    this.#turn = this.#turn.then(async () => {
      this.#waiting--;
      if (!this.#socket.isClosed) await this.#answer(isBinary ? '' : String(data));
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
    if (typeof token === 'string') return { authenticated: await this.#authenticate(token) };
    if (typeof unsubscribe === 'string') return this.#unsubscribe(unsubscribe);
    if (typeof subscribe === 'string') return this.#subscribe(subscribe, from);
    throw new ClientError(
      400,
      'Send {"subscribe":"<service>/<topic>/<key>"}, {"unsubscribe":"..."} or {"token":"..."}.',
    );
  }

  async #authenticate(token: string): Promise<string> {
    const before = this.#socket.user?.sub;
    const user = await this.#socket.authenticate(token);
    // What was allowed to one user is not carried over to another.
    if (before !== undefined && before !== user.sub) this.#unsubscribeAll();
    return user.username;
  }

  async #subscribe(topic: string, from: unknown): Promise<unknown> {
    if (this.#subscriptions.has(topic))
      throw new ClientError(409, 'This topic is followed already.', { members: { topic } });
    if (this.#subscriptions.size >= this.#maxSubscriptions) {
      throw new ClientError(429, `A connection follows at most ${this.#maxSubscriptions} topics.`, {
        members: { topic },
      });
    }
    const edition = this.#edition;
    const deliver = (message: EncodedMessage) => {
      if (edition === this.#edition) this.#send(frameOf(message));
    };
    try {
      const options = { from: resumeFrom(from), user: this.#socket.user, deliver };
      const subscription = await this.#kit.topics.subscribe(topic, options);
      if (edition !== this.#edition) {
        subscription.unsubscribe();
        throw new ClientError(401, RUN_OUT);
      }
      this.#subscriptions.set(topic, subscription);
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

  /** Drops the client rather than queue more than the limit; one message alone may be larger. */
  #send(data: string | Buffer): void {
    const queued = this.#socket.queuedBytes;
    if (queued > 0 && queued + data.length > this.#maxQueuedBytes) {
      this.#socket.close(CLOSE.tryAgain, 'too slow: messages pile up; connect again and resume');
    } else if (typeof data === 'string') {
      this.#socket.send(data);
    } else {
      this.#socket.write(data);
    }
  }

  #unsubscribeAll(): void {
    this.#edition++;
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
let lastFrame: Buffer = Buffer.alloc(0);

/** A message goes to all its subscribers in one go: its frame is made once for them. */
function frameOf(message: EncodedMessage): Buffer {
  if (message !== lastMessage) {
    lastFrame = textFrames([message.json()]);
    lastMessage = message;
  }
  return lastFrame;
}
