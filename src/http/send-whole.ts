import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Seconds that a connection stays open between two requests. */
export const KEEP_ALIVE_SECONDS = 72;
const CONNECTION = `connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_SECONDS}\r\n`;

export type Encoding = 'latin1' | 'utf8';

/** What answers that differ in their body alone begin with: 200, and headers (names and values in turns, known to hold no line break). */
export class AnswerHead {
  readonly headers: readonly string[];
  #date = '';
  #text = '';

  constructor(headers: readonly string[]) {
    this.headers = headers;
  }

  /** As it goes to a socket now, but for the body's length; the same text for a second. */
  current(): string {
    const date = dateNow();
    if (date !== this.#date) {
      let text = 'HTTP/1.1 200 OK\r\n';
      for (let i = 0; i < this.headers.length; i += 2) text += `${this.headers[i]}: ${this.headers[i + 1]}\r\n`;
      this.#date = date;
      this.#text = `${text}date: ${date}\r\n${CONNECTION}`;
    }
    return this.#text;
  }
}

/** A body, and its length in bytes. */
export interface AnswerBody {
  readonly text: string;
  readonly length: string;
  readonly encoding: Encoding;
}

/** An answer. */
export class WholeAnswer {
  readonly head: AnswerHead;
  readonly body: AnswerBody;
  #head = '';
  #bytes: Buffer | undefined;

  constructor(head: AnswerHead, body: AnswerBody) {
    this.head = head;
    this.body = body;
  }

  /**
   * All of it, as it goes to a socket now: text, or where it was sent in this second before, bytes, which are neither put
   * together nor copied any more (for a page of posts that was 6 KB of garbage a request).
   */
  current(): string | Buffer {
    const head = this.head.current();
    if (head === this.#head) {
      this.#bytes ??= Buffer.from(this.#text(head), this.body.encoding);
      return this.#bytes;
    }
    this.#head = head;
    this.#bytes = undefined;
    return this.#text(head);
  }

  #text(head: string): string {
    return `${head}content-length: ${this.body.length}\r\n\r\n${this.body.text}`;
  }
}

/**
 * Sends an answer straight to the socket. Node's own sending collects headers, corks the socket, waits for the write and takes
 * two more turns to say that it ended: 4 us of a hot answer's 14. And the answers of one turn of the event loop go together, at
 * its end: a client that is woken for each answer, works while the next one is made and sleeps again costs the server a wake-up
 * an answer, which was another fifth.
 */
export function sendWhole(response: ServerResponse, answer: WholeAnswer): void {
  if (mustGoThroughNode(response)) {
    const { head, body } = answer;
    response.writeHead(200, [...head.headers, 'content-length', body.length]).end(body.text, body.encoding);
    return;
  }
  if (waiting.push({ response, answer }) === 1) setImmediate(sendAll);
}

/** An answer before it is still on its way, the connection ends with it, it has no body, or there is more to say. */
function mustGoThroughNode(response: ServerResponse): boolean {
  const { socket, req } = response;
  return (
    !(socket instanceof Socket) ||
    !socket.writable ||
    socket.writableLength > 0 ||
    !response.shouldKeepAlive ||
    req.method === 'HEAD' ||
    response.getHeaderNames().length > 0
  );
}

interface Waiting {
  readonly response: ServerResponse;
  readonly answer: WholeAnswer;
}

let waiting: Waiting[] = [];

function sendAll(): void {
  const ready = waiting;
  waiting = [];
  for (const each of ready) send(each);
}

function send({ response, answer }: Waiting): void {
  if (!response.socket?.writable) return; // gone; Node has told everyone who waits for its end
  response.socket.write(answer.current(), answer.body.encoding);
  (response as { finished: boolean }).finished = true;
  // The server waits for it before it gives the socket to the next response.
  response.emit('finish');
}

let dateText = '';
let dateUntil = 0;

/** Of the Date header, made once a second. */
function dateNow(): string {
  const now = Date.now();
  if (now >= dateUntil || now < dateUntil - 1000) {
    dateText = new Date(now).toUTCString();
    dateUntil = now - (now % 1000) + 1000;
  }
  return dateText;
}
