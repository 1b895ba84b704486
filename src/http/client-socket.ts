import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Identity, User } from '../identity/identity.ts';
import type { Connection } from './connections.ts';
import { Session } from './token.ts';

/** Close codes. Source: RFC 6455, 7.4.1, and the IANA registry. */
export const CLOSE = { policy: 1008, restart: 1012, tryAgain: 1013 } as const;

/** What a socket's owner does with what comes. Called synchronously; must not throw. */
export interface SocketHandler {
  received(data: Buffer, isBinary: boolean): void;
  /** The token that was given has run out. */
  signedOut?(): void;
  /** Nothing is received and nothing need be sent any more. Called once. */
  closed(): void;
}

/** What is used of a `WebSocket` of `ws`, whose types the package's users need not have. */
export interface Wire {
  readonly protocol: string;
  readonly readyState: number;
  send(data: string | Uint8Array, options: { binary: boolean }): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'pong' | 'close', listener: () => void): unknown;
}

/** `WebSocket.OPEN` */
const OPEN = 1;

export interface ClientSocketOptions {
  readonly identity: Identity;
  readonly log: Logger;
  /** The client's. */
  readonly address: string;
  /** Milliseconds a client has to answer a close. */
  readonly closeMs: number;
  /** Counts what is sent. */
  readonly counts: { sent: number };
}

/** One client's WebSocket: who it is, whether it lives, what waits for it, how it ends. */
export class ClientSocket implements Connection {
  readonly kind = 'websocket';
  readonly address: string;
  readonly #session: Session;
  readonly #log: Logger;
  readonly #closeMs: number;
  readonly #counts: { sent: number };
  #socket: Wire | undefined;
  #raw: Duplex | undefined;
  #handler: SocketHandler | undefined;
  #alive = true;
  #closed = false;

  constructor({ identity, log, address, closeMs, counts }: ClientSocketOptions) {
    this.address = address;
    this.#session = new Session(identity);
    this.#log = log;
    this.#closeMs = closeMs;
    this.#counts = counts;
  }

  get user(): User | null {
    return this.#session.user;
  }

  /** The subprotocol agreed on; empty for none. */
  get protocol(): string {
    return this.#socket?.protocol ?? '';
  }

  /** From the first word of its end on nothing is sent or received. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Bytes that wait for the client to take them. */
  get queuedBytes(): number {
    return this.#raw?.writableLength ?? 0;
  }

  /** Takes a token. Throws 401 for a bad one, and keeps the one before. */
  authenticate(token: string): Promise<User> {
    return this.#session.use(token);
  }

  /** The handshake is done. */
  attach(socket: Wire, raw: Duplex): void {
    this.#socket = socket;
    this.#raw = raw;
    socket.on('message', (data, isBinary) => {
      if (!this.#closed) this.#handler?.received(data, isBinary);
    });
    socket.on('pong', () => {
      this.#alive = true;
    });
    // ws closes the connection by itself on a bad frame; without a listener the process would end.
    socket.on('error', (error) => this.#log.debug({ err: error }, 'websocket'));
    socket.on('close', () => this.#forget());
    if (this.#closed) this.#goodbye(CLOSE.restart, 'the server is stopping; connect again');
  }

  /** Gives what comes to `handler`: in the turn of `attach`, so that it misses nothing. */
  serve(handler: SocketHandler): void {
    this.#handler = handler;
    if (this.#closed) handler.closed();
  }

  send(data: string | Uint8Array): void {
    if (this.#closed) return;
    this.#counts.sent++;
    this.#socket?.send(data, { binary: typeof data !== 'string' });
  }

  /**
   * Sends whole frames as they are (`textFrames`, `binaryFrame`): made once for many clients, written at once. `ws` writes its own
   * frames whole and in the turn they are sent in (nothing is compressed), so that these come between them.
   */
  write(frames: Uint8Array): void {
    if (this.#closed || this.#socket?.readyState !== OPEN) return;
    this.#counts.sent++;
    this.#raw!.write(frames);
  }

  beat(): void {
    if (!this.#alive) this.destroy();
    this.#alive = false;
    if (!this.#closed) this.#socket?.ping();
    void this.#session.isValid().then((valid) => valid || this.#handler?.signedOut?.());
  }

  end(): void {
    this.close(CLOSE.restart, 'the server is stopping; connect again and resume');
  }

  destroy(): void {
    this.#forget();
    this.#socket?.terminate();
  }

  /** Says good-bye; a client that does not answer in time is cut off. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#forget();
    this.#goodbye(code, reason);
  }

  #goodbye(code: number, reason: string): void {
    this.#socket?.close(code, reason);
    setTimeout(() => this.#socket?.terminate(), this.#closeMs).unref();
  }

  #forget(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.closed();
  }
}
