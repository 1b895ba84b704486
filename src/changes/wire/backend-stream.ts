import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { Framer, type OnFrame } from './framer.ts';
import { ReadingSocket } from './reading-socket.ts';

export interface BackendStreamOptions {
  readonly client: pg.Client;
  readonly onFrame: OnFrame;
  /** The connection ended, or `onFrame` threw; the error says which. Called once, and not after `release`. */
  readonly onEnd: (error: Error) => void;
}

type DataListener = (chunk: Buffer) => void;

/**
 * Takes an idle pg connection's socket over, to frame its messages without an event, an object or a slice for each. `pg` does
 * what it does well (connecting, TLS, authentication); bulk data never passes through it.
 */
export class BackendStream {
  readonly #client: pg.Client;
  readonly #socket: Duplex;
  readonly #framer: Framer;
  readonly #onEnd: (error: Error) => void;
  readonly #onChunk: DataListener;
  /** pg's own, for `release`. */
  readonly #listeners: DataListener[];
  #ended = false;
  /** When the server last said anything (`performance.now()`). */
  heardAt = performance.now();

  constructor(options: BackendStreamOptions) {
    this.#client = options.client;
    this.#socket = (options.client as unknown as { connection: { stream: Duplex } }).connection.stream;
    this.#framer = new Framer({ onFrame: options.onFrame });
    this.#onEnd = options.onEnd;
    this.#onChunk = (chunk) => {
      this.heardAt = performance.now();
      this.#guard(() => this.#framer.push(chunk));
    };
    this.#listeners = this.#socket.listeners('data') as DataListener[];
    this.#socket.removeAllListeners('data');
    if (this.#socket instanceof ReadingSocket) this.#socket.sink = this.#onChunk;
    else this.#socket.on('data', this.#onChunk);
    this.#client.on('error', this.#onError);
    this.#client.on('end', this.#onClosed);
    if (this.#socket.destroyed) queueMicrotask(this.#onClosed);
  }

  send(message: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(message);
  }

  /** Stops handing out messages at once, and reading. */
  pause(): void {
    this.#framer.pause();
    this.#socket.pause();
  }

  resume(): void {
    if (this.#ended) return;
    this.heardAt = performance.now(); // nobody listened meanwhile
    this.#guard(() => this.#framer.resume());
    if (!this.#framer.paused) this.#socket.resume();
  }

  /** Gives the idle connection back to pg. */
  release(): void {
    this.#detach();
    for (const listener of this.#listeners) this.#socket.on('data', listener);
    this.#socket.resume();
  }

  /** Waits until the server has closed the connection, `withinMs` at most; nothing is reported any more. */
  async drained(withinMs: number): Promise<void> {
    this.#detach();
    const socket = this.#socket;
    if (socket.closed) return;
    socket.resume();
    socket.end();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    socket.destroy();
  }

  /** Ends without a word to the server. */
  destroy(): void {
    this.#detach();
    this.#socket.on('data', () => {});
    this.#socket.destroy();
  }

  #detach(): void {
    this.#ended = true;
    if (this.#socket instanceof ReadingSocket) this.#socket.sink = undefined;
    this.#socket.off('data', this.#onChunk);
    this.#client.off('error', this.#onError);
    this.#client.off('end', this.#onClosed);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#framer.pause();
    this.destroy();
    this.#onEnd(error);
  }

  readonly #onError = (error: Error): void => this.#end(error);
  readonly #onClosed = (): void => this.#end(new Error('the connection to PostgreSQL ended unexpectedly'));
}
