import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { inTime, leave } from '../../changes/wire/answer.ts';
import { connect } from '../../changes/wire/connect.ts';
import { Backoff } from '../backoff.ts';
import { Term } from './term.ts';

/** How often a node that does not lead looks whether it may. */
const LOOK_MS = 50;
/** How often it looks whether the leader is silent. */
const ASK_MS = 500;

export interface LeadershipOptions {
  /** Direct, never through a pooler: the lock is the connection's (CORRECTNESS 16). */
  readonly url: string;
  /** This node's name. */
  readonly node: string;
  /** A leader whose heartbeat is older is deposed; a connection on which an answer takes longer is given up. */
  readonly timeoutMs: number;
  /** A third of the time-out unless told, at most a second. */
  readonly heartbeatMs?: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Which of many nodes leads. The lock is an advisory one, free within milliseconds of its holder's death; a holder that is frozen
 * or cut off stops its heartbeat, and the others end its connection. Neither is trusted to keep an old leader from writing: the
 * epoch, which goes up in the statement that takes the lock, is what the store compares (CORRECTNESS 5).
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #backoff = new Backoff({ firstMs: 20, maxMs: 1000 });
  #client: pg.Client | null = null;
  #least = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /**
   * The next term's epoch is higher than this one, too: the store knows of a leader with it, where the record does not any more.
   * A failover may have lost terms, a backup is older than the terms that came after it.
   */
  outdo(epoch: number): void {
    this.#least = Math.max(this.#least, epoch);
  }

  /** Looks at once: the leader said that it leaves. */
  look(): void {
    this.#wake();
  }

  /** Resolves when this node leads; null when aborted before. */
  async won(signal: AbortSignal): Promise<Term | null> {
    while (!signal.aborted) {
      const term = await this.#try().catch((error: Error) => error);
      if (term instanceof Term) {
        if (!signal.aborted) return term;
        await term.resign();
      } else if (term) {
        await this.#disconnect();
        if (!signal.aborted) this.#options.log.warn({ detail: term.message }, 'the leader cannot be looked for');
        await this.#backoff.wait(signal);
      } else await this.#wait(signal);
    }
    await this.#disconnect();
    return null;
  }

  /** Takes the lock if it is free; deposes a leader that is silent. */
  async #try(): Promise<Term | null> {
    const { url, node, timeoutMs, heartbeatMs, log } = this.#options;
    this.#client ??= await connect({ url });
    const client = this.#client;
    const taking = client.query<{ epoch: string }>(TAKE, [node, this.#least]);
    const { rows: won } = await inTime(client, taking, timeoutMs);
    this.#backoff.reset();
    if (won[0]) {
      this.#client = null; // the term's from now on
      const every = heartbeatMs ?? Math.min(1000, timeoutMs / 3);
      return new Term({ client, epoch: Number(won[0].epoch), timeoutMs, heartbeatMs: every });
    }
    if (performance.now() - this.#askedAt < Math.min(ASK_MS, timeoutMs / 4)) return null;
    this.#askedAt = performance.now();
    const deposing = client.query<{ node: string }>(DEPOSE, [timeoutMs]);
    const { rows: deposed } = await inTime(client, deposing, timeoutMs);
    if (deposed[0]) log.warn({ leader: deposed[0].node, timeoutMs }, 'the leader was silent; it is deposed');
    return null;
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(LOOK_MS, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {});
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client) await leave(client);
  }
}

const KEY = `hashtextextended('lockstep leader', 0)`;

/** Lock and epoch in one statement: who dies between the two cannot have the one without the other. */
const TAKE = `
  with lock as materialized (select pg_catalog.pg_try_advisory_lock(${KEY}) as mine)
  update lockstep.leader
     set epoch = greatest(epoch, $2) + 1, node = $1, pid = pg_catalog.pg_backend_pid(), heartbeat = pg_catalog.clock_timestamp()
   where (select mine from lock)
  returning epoch`;

/**
 * Only the one whose heartbeat it is: somebody else may hold the lock by now. Found first, then ended: of conditions side by side
 * PostgreSQL may try any first.
 */
const DEPOSE = `
  with silent as materialized (
    select l.node, l.pid from lockstep.leader l
     where l.heartbeat < pg_catalog.clock_timestamp() - $1 * interval '1 millisecond'
       and exists (select from pg_catalog.pg_locks k where k.pid = l.pid and k.locktype = 'advisory' and k.granted
                      and k.database = (select oid from pg_catalog.pg_database where datname = current_database())
                      and (k.classid::bigint << 32 | k.objid::bigint) = ${KEY}))
  select node, pg_catalog.pg_terminate_backend(pid) from silent`;
