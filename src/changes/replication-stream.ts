import type pg from 'pg';
import { uint32At } from './pgoutput/decoder.ts';
import { formatLsn } from './position.ts';
import { identifier, literal } from './quote.ts';
import { inTime } from './wire/answer.ts';
import { BackendStream } from './wire/backend-stream.ts';
import { BACKEND, COPY_DONE, queryMessage, readError, statusMessage, TERMINATE } from './wire/messages.ts';

/** What the server is told, and how often: the manual's default of `wal_receiver_status_interval` is 10 s. */
const STATUS_MS = 1000;
/** How soon a reply that the server asked for is sent: soon, yet not once for each request under load. */
const REPLY_MS = 10;
const CLOSE_MS = 2000;

const XLOG_DATA = 119; // w
const KEEPALIVE = 107; // k
/** Type byte, start, end, time. */
const XLOG_DATA_HEADER = 25;

export interface ReplicationStreamOptions {
  /** An idle replication connection; the stream owns it from now on. */
  readonly client: pg.Client;
  readonly slot: string;
  readonly publication: string;
  /** Transactions that end at or before it are not sent. */
  readonly from: number;
  /** How long the server may take to start. */
  readonly answerMs: number;
  /** The output plugin's bytes. Valid only during the call. */
  readonly onData: (bytes: Buffer, start: number, end: number) => void;
  /** The server has sent everything up to `lsn`, as far as it is committed and published. */
  readonly onKeepalive: (lsn: number) => void;
  readonly onEnd: (error: Error) => void;
}

/**
 * A running START_REPLICATION. Tells the server what is applied on a timer, and nothing else: never what was only received, and
 * never because a message came, so that a slow consumer costs it nothing but WAL.
 */
export class ReplicationStream {
  readonly #options: ReplicationStreamOptions;
  readonly #backend: BackendStream;
  readonly #started = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #reply: NodeJS.Timeout | undefined;
  #poked = false;
  #streaming = false;
  #closing = false;
  /** What the server is told; 0 is nothing. */
  #written = 0;
  #applied = 0;

  constructor(options: ReplicationStreamOptions) {
    this.#options = options;
    this.#backend = new BackendStream({
      client: options.client,
      onFrame: (type, bytes, start, end) => this.#frame(type, bytes, start, end),
      onEnd: (error) => this.#ended(error),
    });
  }

  /** See `FeedSession`. */
  get heardAt(): number {
    return this.#backend.heardAt;
  }

  /** Resolves when the server streams; rejects when it does not in time, or the stream is closed before. */
  start(): Promise<void> {
    const { client, slot, publication, from, answerMs } = this.#options;
    const plugin = `proto_version '1', publication_names ${literal(identifier(publication))}, messages 'true'`;
    const sql = `START_REPLICATION SLOT ${identifier(slot)} LOGICAL ${formatLsn(from)} (${plugin})`;
    this.#backend.send(queryMessage(sql));
    return inTime(client, this.#started.promise, answerMs);
  }

  /** Everything up to `lsn` is applied. */
  acknowledge(lsn: number): void {
    if (lsn <= this.#applied) return;
    this.#applied = lsn;
    this.#written = Math.max(this.#written, lsn);
  }

  /** Asks for a keepalive; once a turn of the event loop, however often it is called. */
  poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    setImmediate(() => {
      this.#poked = false;
      this.#sendStatus(true);
    });
  }

  /** Nothing is handed out from here on until `resume`, while replies go on. */
  pause(): void {
    this.#backend.pause();
  }

  resume(): void {
    this.#backend.resume();
  }

  /** Tells the server what is applied and leaves in good order. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#sendStatus(false);
    this.#closing = true;
    this.#started.reject(new Error('the session is closed'));
    this.#stopTimers();
    this.#backend.send(COPY_DONE);
    this.#backend.send(TERMINATE);
    await this.#backend.drained(CLOSE_MS);
  }

  #frame(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#closing) return;
    if (type === BACKEND.copyData) this.#copyData(bytes, start, end);
    else if (type === BACKEND.error) throw readError(bytes, start, end);
    else if (type === BACKEND.copyBoth) this.#begin();
    else if (type === BACKEND.copyDone) throw new Error('PostgreSQL ended the stream of changes (it is shutting down)');
  }

  #copyData(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === XLOG_DATA) this.#options.onData(bytes, start + XLOG_DATA_HEADER, end);
    else if (bytes[start] === KEEPALIVE) this.#keepalive(bytes, start);
  }

  #keepalive(bytes: Buffer, start: number): void {
    const lsn = uint32At(bytes, start + 1) * 0x1_0000_0000 + uint32At(bytes, start + 5);
    if (lsn > this.#written) this.#written = lsn;
    this.#options.onKeepalive(lsn);
    if (bytes[start + 17] === 1) this.#reply ??= setTimeout(() => this.#sendStatus(false), REPLY_MS);
  }

  #begin(): void {
    this.#streaming = true;
    this.#timer = setInterval(() => this.#sendStatus(false), STATUS_MS);
    this.#started.resolve();
  }

  #sendStatus(replyRequested: boolean): void {
    clearTimeout(this.#reply);
    this.#reply = undefined;
    if (!this.#streaming || this.#closing) return;
    this.#backend.send(statusMessage({ written: this.#written, applied: this.#applied, replyRequested }));
  }

  #ended(error: Error): void {
    this.#stopTimers();
    if (this.#closing) return;
    this.#closing = true;
    if (this.#streaming) this.#options.onEnd(error);
    else this.#started.reject(error);
  }

  #stopTimers(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#reply);
  }
}
