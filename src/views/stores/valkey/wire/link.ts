import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, ErrorReply, RESP_TYPES } from 'redis';
import type { Argument } from '../../../stored.ts';
import { StoreUnavailable } from '../errors.ts';
import type { ValkeyAddress, ValkeyHost, ValkeyTls } from '../url.ts';

export type Command = readonly [name: string, ...args: Argument[]];
export type Client = ReturnType<typeof clientOf>;

export interface LinkOptions {
  readonly address: ValkeyAddress;
  /** Where it is; of several the next one when one cannot be reached. */
  readonly hosts: readonly ValkeyHost[];
  /** Called with each new connection before anything else is sent on it. */
  connected?(client: Client): Promise<void>;
}

const CONNECT_MS = 2000;
/** A server that owes an answer for so long is taken for dead. */
const SILENCE_MS = 3000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;
/** Commands under way; one more is refused. */
const MAX_PENDING = 50_000;

const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/**
 * One server, connected to again whenever the connection is lost. Nothing is sent twice, and nothing waits for a connection: what
 * was under way when it was lost fails, and so does what is asked meanwhile.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #client: Client | null = null;
  #problem: Error = new Error('not connected yet');
  #failures = 0;
  #pending = 0;
  /** When the server last answered, or was first owed an answer. */
  #heardAt = 0;
  #up = Promise.withResolvers<void>();
  #running: Promise<void>;
  readonly #watch: NodeJS.Timeout;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#running = this.#run();
    this.#watch = setInterval(() => this.#check(), SILENCE_MS / 3).unref();
  }

  get at(): ValkeyHost {
    const { hosts } = this.#options;
    return hosts[this.#failures % hosts.length]!;
  }

  /** `host:port` */
  get name(): string {
    return nameOf(this.at);
  }

  get isUp(): boolean {
    return this.#client !== null;
  }

  /** Resolves as soon as it is connected; rejects with the reason when it is not in time. */
  async ready(timeoutMs: number): Promise<void> {
    const timer = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw this.#down();
    });
    try {
      await Promise.race([this.#up.promise, late]);
    } finally {
      timer.abort();
      late.catch(() => {});
    }
  }

  /** Sends all of them in this turn; the replies in their order, an error in the place of one that was answered so. */
  async send(commands: readonly Command[], bytes = false): Promise<unknown[]> {
    const client = this.#client;
    if (!client) throw this.#down();
    if (this.#pending + commands.length > MAX_PENDING)
      throw new StoreUnavailable(`${this.name} is asked for too much at once`, { sent: false });
    if (this.#pending === 0) this.#heardAt = performance.now();
    this.#pending += commands.length;
    const options = bytes ? BYTES : undefined;
    try {
      return await Promise.all(commands.map((command) => client.sendCommand(command, options).catch(replyOf)));
    } catch (error) {
      const detail = `the connection to ${this.name} was lost: ${(error as Error).message}`;
      throw new StoreUnavailable(detail, { sent: true, cause: error });
    } finally {
      this.#pending -= commands.length;
      this.#heardAt = performance.now();
    }
  }

  /** Gives the connection up for a new one: what is under way on it fails. */
  reset(problem: Error): void {
    const client = this.#client;
    if (!client) return;
    this.#problem = problem;
    client.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#closing.abort();
    this.#client?.destroy();
    await this.#running;
  }

  #down(): StoreUnavailable {
    return new StoreUnavailable(`${this.name} cannot be reached: ${reasonOf(this.#problem)}`, {
      sent: false,
      cause: this.#problem,
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (await this.#connection()) pause = FIRST_PAUSE_MS;
      else this.#failures++;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** One connection from its beginning to its end; false when there was none. */
  async #connection(): Promise<boolean> {
    const client = clientOf(this.#options.address, this.at);
    const ended = new Promise<void>((resolve) => client.once('end', resolve).once('terminated', () => resolve()));
    client.on('error', (error: Error) => {
      this.#problem = error;
    });
    const abandon = () => client.destroy();
    this.#closing.signal.addEventListener('abort', abandon);
    try {
      await client.connect();
      const lost = ended.then(() => Promise.reject(this.#problem));
      await Promise.race([this.#options.connected?.(client), lost]);
      this.#client = client;
      this.#up.resolve();
      await ended;
      return true;
    } catch (error) {
      this.#problem = error as Error;
      return false;
    } finally {
      this.#closing.signal.removeEventListener('abort', abandon);
      if (this.#client) this.#up = Promise.withResolvers();
      this.#client = null;
      client.destroy();
    }
  }

  #check(): void {
    if (this.#pending === 0)
      this.send([['PING']]).catch(() => {}); // a connection that is half dead shows so
    else if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.reset(new Error(`it did not answer for ${SILENCE_MS / 1000} s`));
    }
  }
}

export function nameOf({ host, port }: ValkeyHost): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function clientOf(address: ValkeyAddress, { host, port }: ValkeyHost) {
  const { tls, username, password, database } = address;
  const secure = tls && { ...tlsOptions(tls), ...(!tls.servername && isName(host) && { servername: host }) };
  return createClient({
    socket: { host, port, connectTimeout: CONNECT_MS, reconnectStrategy: false, ...(secure as object) },
    ...(username && { username }),
    ...(password !== undefined && { password }),
    ...(database > 0 && { database }),
    name: 'lockstep',
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
  });
}

function tlsOptions({ ca, cert, key, servername }: ValkeyTls) {
  return {
    tls: true as const,
    ...(ca && { ca: readFileSync(ca) }),
    ...(cert && { cert: readFileSync(cert) }),
    ...(key && { key: readFileSync(key) }),
    ...(servername && { servername }),
  };
}

/** Server names of TLS are names, not addresses. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}

function replyOf(error: unknown): unknown {
  if (error instanceof ErrorReply) return error;
  throw error;
}

/** Of several attempts (IPv4, IPv6) Node makes one error without a message. */
function reasonOf(error: Error & { readonly code?: string; readonly errors?: readonly Error[] }): string {
  return error.message || error.errors?.map(({ message }) => message).join(', ') || error.code || error.name;
}
