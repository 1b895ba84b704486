import { ClientError } from '../record/errors.ts';
import { isLoopback } from './rate-limit.ts';

/** A long-lived connection: an event stream or a WebSocket. */
export interface Connection {
  readonly kind: 'sse' | 'websocket';
  /** Called every `beatMs`: shows that the server lives, and finds out whether the client does. */
  beat(): void;
  /** Says good-bye; what is queued is still sent. */
  end(): void;
  /** Ends at once. */
  destroy(): void;
}

export interface ConnectionsOptions {
  /** 10,000 unless told. */
  readonly max?: number;
  /** For each address, 200 unless told; this machine itself is spared where `spareLoopback` says so. */
  readonly maxPerAddress?: number;
  readonly spareLoopback?: boolean;
  /** Milliseconds; 15,000 unless told. */
  readonly beatMs?: number;
}

const RETRY = { headers: { 'retry-after': '5' } };

/** All long-lived connections: counted, limited, kept alive by one timer, ended together. */
export class Connections {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #spareLoopback: boolean;
  readonly #open = new Set<Connection>();
  readonly #byAddress = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  /** Frames and events written to clients since the start. */
  sent = 0;
  #ending = false;

  constructor(options: ConnectionsOptions = {}) {
    this.#max = options.max ?? 10_000;
    this.#maxPerAddress = options.maxPerAddress ?? 200;
    this.#spareLoopback = options.spareLoopback ?? false;
    this.#timer = setInterval(() => this.#beat(), options.beatMs ?? 15_000);
    this.#timer.unref();
  }

  /** Adds a connection; the returned function takes it away. Throws 429 (of its address) or 503 (of all, or while ending). */
  add(address: string, connection: Connection): () => void {
    if (this.#ending) throw new ClientError(503, 'The server is stopping; connect again in a moment.', RETRY);
    if (this.#open.size >= this.#max)
      throw new ClientError(503, 'The server has too many open connections; try again later.', RETRY);
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#maxPerAddress && !(this.#spareLoopback && isLoopback(address))) {
      throw new ClientError(
        429,
        `Your address has ${count} open connections, which is the most it may have; close one.`,
        RETRY,
      );
    }
    this.#open.add(connection);
    this.#byAddress.set(address, count + 1);
    return () => this.#remove(address, connection);
  }

  count(kind: Connection['kind']): number {
    return [...this.#open].filter((each) => each.kind === kind).length;
  }

  /** Says good-bye to all of them and takes no more. */
  end(): void {
    this.#ending = true;
    clearInterval(this.#timer);
    for (const connection of [...this.#open]) connection.end();
  }

  destroy(): void {
    this.end();
    for (const connection of [...this.#open]) connection.destroy();
  }

  #beat(): void {
    for (const connection of [...this.#open]) connection.beat();
  }

  #remove(address: string, connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    const count = this.#byAddress.get(address)! - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }
}
