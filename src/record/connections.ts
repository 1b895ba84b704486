import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { decoderFor, SESSION_OPTIONS } from './decode.ts';
import { ConnectionLost, isFull, nameLoss, RecordBusy, RecordUnavailable, sqlState } from './failures.ts';
import type { Log } from './log.ts';
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

/** Connections whose values come as `Value` says, and which come back by themselves after the server was away. */
export class Connections {
  readonly #pool: pg.Pool;

  constructor({ url, size, idleMs, log }: ConnectionsOptions) {
    const types: pg.CustomTypesConfig = { getTypeParser: textParser };
    const config: pg.PoolConfig = { ...connectionConfig(url), types, max: size, connectionTimeoutMillis: PATIENCE };
    this.#pool = new pg.Pool({ ...config, keepAlive: true, idleTimeoutMillis: idleMs, application_name: 'lockstep' });
    this.#pool.on('error', (error) => log.debug({ err: error }, 'an idle database connection ended'));
    // One that is in use tells its user through the query it fails; without a listener it would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
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

  close(): Promise<void> {
    return this.#pool.end();
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

/** `url` with plans of the session's prepared statements made each time: one made while a table was small would read all of it when it has grown. */
export function plannedEachTime(url: string): string {
  const setting = '-c plan_cache_mode=force_custom_plan';
  const given = /([?&]options=)([^&]*)/.exec(url);
  if (given) return url.replace(given[0], `${given[1]}${given[2]}${encodeURIComponent(` ${setting}`)}`);
  return `${url}${url.includes('?') ? '&' : '?'}options=${encodeURIComponent(setting)}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded');
}

/** Of pg's interface; everything is asked for in text. */
function textParser(typeOid: number): (text: string) => unknown {
  return decoderFor(typeOid);
}
