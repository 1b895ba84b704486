import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Position } from '../changes/position.ts';
import type { EncodedMessage, Subscription } from '../live/topics.ts';
import type { Connection } from './connections.ts';
import { positionFrom } from './positions.ts';
import { bearerToken, Session } from './token.ts';

/** Bytes that may wait for a slow client before it is dropped. */
const MAX_QUEUED = 2 ** 20;
/** Milliseconds a client has to take what is queued when its stream ends. */
const END_MS = 2000;
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Nginx would collect the events otherwise.
  'x-accel-buffering': 'no',
};

/**
 * Answers with the events of `<topic>/<key>` (`leaderboard/scores`, `2026-11-20`) as server-sent events. Each event's id is
 * its position; a client resumes with `Last-Event-ID`, as browsers do by themselves, or `?from=`.
 * Throws what `Topics.subscribe` throws, 400 for a bad position, 401 for a bad token, 429 and 503 for too many streams.
 */
export async function sendEvents(
  reply: FastifyReply,
  topic: string,
  key: string,
  request: FastifyRequest = reply.request,
): Promise<FastifyReply> {
  const { topics, connections, identity } = reply.server.lockstep;
  const from = resumePosition(request);
  const session = new Session(identity);
  const token = bearerToken(request);
  if (token) await session.use(token);
  if (request.method === 'HEAD') return reply.headers(HEADERS).send();
  const stream = new EventStream(reply, session, connections);
  stream.onClose(connections.add(request.ip, stream));
  try {
    const deliver = (message: EncodedMessage) => stream.deliver(message);
    stream.start(await topics.subscribe(`${topic}/${key}`, { from, user: session.user, deliver }));
  } catch (error) {
    stream.close();
    throw error;
  }
  return reply;
}

function resumePosition(request: FastifyRequest): Position | null {
  const last = request.headers['last-event-id'];
  if (typeof last === 'string' && last !== '') return positionFrom(last, 'Last-Event-ID');
  const { from } = request.query as { from?: unknown };
  return from === undefined ? null : positionFrom(String(from), 'from');
}

/** One client's stream. Until it starts, an error can still be answered as one, so that nothing is written before. */
class EventStream implements Connection {
  readonly kind = 'sse';
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #counts: { sent: number };
  readonly #closers: (() => void)[] = [];
  /** Delivered before the start. */
  #early: EncodedMessage[] | null = [];
  #ending = false;

  constructor(reply: FastifyReply, session: Session, counts: { sent: number }) {
    this.#reply = reply;
    this.#raw = reply.raw;
    this.#session = session;
    this.#counts = counts;
    // The connection's end, not the response's: one that waits for its turn on the connection may never be told of it.
    this.#socket = reply.request.raw.socket;
    const gone = () => this.close();
    this.#socket.on('close', gone);
    this.onClose(() => this.#socket.off('close', gone));
  }

  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  start(subscription: Subscription): void {
    this.onClose(() => subscription.unsubscribe());
    if (this.#raw.destroyed || this.#socket.destroyed) {
      this.close();
      return;
    }
    this.#raw.writeHead(200, { ...(this.#reply.getHeaders() as Record<string, string>), ...HEADERS });
    this.#reply.hijack();
    this.#raw.write('retry: 1000\n\n');
    const early = this.#early ?? [];
    this.#early = null;
    // Its token has run out, or the server stops: whoever comes back is told then.
    if (this.#ending) this.end();
    else for (const message of early) this.deliver(message);
  }

  deliver(message: EncodedMessage): void {
    if (this.#early) this.#early.push(message);
    else if (!this.#raw.destroyed) {
      this.#counts.sent++;
      this.#write(message.sse());
    }
  }

  beat(): void {
    if (!this.#early) this.#write(':\n\n');
    void this.#session.isValid().then((valid) => valid || this.end());
  }

  end(): void {
    this.#ending = true;
    if (this.#early) return;
    this.#raw.end();
    setTimeout(() => this.#raw.destroy(), END_MS).unref();
    this.close();
  }

  destroy(): void {
    this.#raw.destroy();
    this.close();
  }

  /** Lets go of the subscription and the place among the connections. */
  close(): void {
    for (const closer of this.#closers.splice(0)) closer();
  }

  /** Drops the client rather than queue more than the limit; one event alone may be larger. */
  #write(bytes: Buffer | string): void {
    const queued = this.#raw.writableLength;
    if (queued > 0 && queued + bytes.length > MAX_QUEUED) this.destroy();
    else this.#raw.write(bytes);
  }
}
