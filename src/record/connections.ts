import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { decoderFor, SESSION_OPTIONS } from './decode.ts';
import { ConnectionLost, isFull, nameLoss, RecordBusy, RecordUnavailable, sqlState } from './failures.ts';
import type { Log } from './log.ts';
import { assertPrimary, hostGroup } from './primary.ts';
import type { Row } from './value.ts';

/** While the server restarts, a caller waits this long for a connection (milliseconds). Nothing has been sent yet. */
const PATIENCE = 10_000;

/** DDL changed the result of a prepared statement; a new connection plans it anew. */
export const STALE_PLAN = '0A000';

export interface ConnectionsOptions {
  readonly url: string;
  readonly size: number;
  readonly idleMs: number;
  readonly log: Log;
}

/**
 * Connections whose values come as `Value` says, and which come back by themselves after the server was away; of several hosts to
 * the one that takes writes.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #hosts: ReturnType<typeof hostGroup>;
  readonly #unwatch: (() => void) | undefined;
  #pool: pg.Pool;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#hosts = hostGroup(options.url);
    this.#pool = this.#open();
    this.#unwatch = this.#hosts?.group.onMoved(this.#hosts.hosted, () => this.#moved());
  }

  /** Runs `work` on a connection; one that broke, or whose state is in doubt, is not used again. */
  async use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#acquire();
    let broken = true;
    try {
      const value = await work(client);
      broken = false;
      return value;
    } catch (error) {
      broken =
        error instanceof ConnectionLost || client.getTransactionStatus() !== 'I' || sqlState(error) === STALE_PLAN;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    this.#unwatch?.();
    await this.#pool.end();
  }

  #open(): pg.Pool {
    const { url, size, idleMs, log } = this.#options;
    const host = this.#hosts ? this.#hosts.group.current(this.#hosts.hosted) : url;
    const types: pg.CustomTypesConfig = { getTypeParser: textParser };
    const config: pg.PoolConfig = { ...connectionConfig(host), types, max: size, connectionTimeoutMillis: PATIENCE };
    const pool = new pg.Pool({
      ...config,
      keepAlive: true,
      idleTimeoutMillis: idleMs,
      application_name: 'lockstep',
      ...(this.#hosts && { onConnect: assertPrimary }),
    });
    pool.on('error', (error) => log.debug({ err: error }, 'an idle database connection ended'));
    // One that is in use tells its user through the query it fails; without a listener it would end the process.
    pool.on('connect', (client) => client.on('error', () => {}));
    return pool;
  }

  /** Another host is the primary. What still waits for an answer of the old one, which may never come, learns that it is gone. */
  #moved(): void {
    const old = this.#pool;
    this.#pool = this.#open();
    for (const client of clientsOf(old)) cutOff(client);
    old.end().catch(() => {});
  }

  async #acquire(): Promise<pg.PoolClient> {
    const deadline = Date.now() + PATIENCE;
    for (let delay = 5; ; delay = Math.min(delay * 2, 200)) {
      try {
        return await this.#pool.connect();
      } catch (raw) {
        const error = nameLoss(raw);
        if (isTimeout(error)) throw new RecordBusy('all connections are in use', error);
        if (!(error instanceof ConnectionLost) && !isFull(error)) throw error;
        if (error instanceof ConnectionLost) await this.#hosts?.group.find(this.#hosts.hosted).catch(rethrowLasting);
        if (Date.now() + delay > deadline) throw new RecordUnavailable(error);
        await sleep(delay);
      }
    }
  }
}

/** Runs one statement. Throws `ConnectionLost` or PostgreSQL's error. */
export async function send<R extends object = Row>(
  client: pg.PoolClient,
  query: pg.QueryConfig,
): Promise<pg.QueryResult<R>> {
  try {
    return await client.query<R>(query);
  } catch (error) {
    throw nameLoss(error);
  }
}

/** `url` with the session's settings; `options` the URL has itself are kept. */
export function connectionConfig(url: string): { connectionString: string; options: string } {
  const given = /([?&])options=([^&]*)(&|$)/.exec(url);
  if (!given) return { connectionString: url, options: SESSION_OPTIONS };
  const [found, before, value, after] = given;
  return {
    connectionString: url.replace(found, after === '&' ? before! : ''),
    options: `${decodeURIComponent(value!.replaceAll('+', ' '))} ${SESSION_OPTIONS}`,
  };
}

/** pg's pool keeps them to itself. */
function clientsOf(pool: pg.Pool): readonly pg.ClientBase[] {
  return (pool as unknown as { _clients: pg.ClientBase[] })._clients;
}

/** Ends a connection without a word to the server, which may not answer; `reason` is what fails all that was asked on it. */
export function cutOff(client: pg.ClientBase, reason?: Error): void {
  (client as unknown as { connection: { stream: { destroy(reason?: Error): void } } }).connection.stream.destroy(
    reason,
  );
}

/** That no host takes writes may be over in a moment: the caller tries on. */
function rethrowLasting(error: unknown): void {
  if (!(error instanceof ConnectionLost)) throw error;
}

/** `url` with plans of the session's prepared statements made each time: one made while a table was small would read all of it when it has grown. */
export function plannedEachTime(url: string): string {
  return withSettings(url, '-c plan_cache_mode=force_custom_plan');
}

/** `url` with plans that are made once, and go by index whatever a table's size was then. */
export function byKey(url: string): string {
  return withSettings(url, '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off');
}

/** `url` with commits that are answered before they are on disk: for what can be made again from what is. */
export function notFlushed(url: string): string {
  return withSettings(url, '-c synchronous_commit=off');
}

function withSettings(url: string, settings: string): string {
  const given = /([?&]options=)([^&]*)/.exec(url);
  if (given) return url.replace(given[0], `${given[1]}${given[2]}${encodeURIComponent(` ${settings}`)}`);
  return `${url}${url.includes('?') ? '&' : '?'}options=${encodeURIComponent(settings)}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded');
}

/** Of pg's interface; everything is asked for in text. */
function textParser(typeOid: number): (text: string) => unknown {
  return decoderFor(typeOid);
}
