import { SqlSession } from '../../changes/sql-session.ts';

/** How often the node whose turn it is shows that it lives (milliseconds). */
const PING_MS = 1000;

export interface TurnOptions {
  /** Direct, never through a pooler: the lock is the session's (CORRECTNESS 16). */
  readonly url: string;
  readonly projection: string;
  /** What only the node whose turn it is may follow. */
  readonly slot: string;
  /** It is another node's turn by now. */
  readonly lost: () => void;
}

/**
 * Which node follows a projection: an advisory lock that spares the others the trouble. A node that is frozen keeps it, since its
 * kernel keeps its connections; so the holder's session is used every second, and one that was not for ten seconds is ended.
 */
export class Turn {
  readonly #options: TurnOptions;
  readonly #session: SqlSession;
  #ping: NodeJS.Timeout | undefined;
  #asking = false;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#session = new SqlSession({ url: options.url });
  }

  /** Whether it is this node's turn, from now until `giveBack`. */
  async take(): Promise<boolean> {
    const { projection, slot } = this.#options;
    const [row] = await this.#session.ask(TAKE, [nameOf(projection)]);
    if (!row!.mine) await this.#session.ask(END_FROZEN, [nameOf(projection), slot]);
    else this.#ping = setInterval(() => this.#show(), PING_MS);
    return row!.mine === true;
  }

  async giveBack(): Promise<void> {
    clearInterval(this.#ping);
    await this.#session.ask(GIVE_BACK, [nameOf(this.#options.projection)]).catch(() => {}); // gone with its session
  }

  async close(): Promise<void> {
    clearInterval(this.#ping);
    await this.#session.close();
  }

  /** A session that was ended is opened anew by itself, and has no lock then. */
  #show(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#session
      .ask(HELD)
      .then(
        ([row]) => {
          if (!row!.held) this.#options.lost();
        },
        () => {}, // the record is away, which the stream tells
      )
      .finally(() => {
        this.#asking = false;
      });
  }
}

function nameOf(projection: string): string {
  return `lockstep projection ${projection}`;
}

const TAKE = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as mine';
const GIVE_BACK = 'select pg_advisory_unlock(hashtextextended($1, 0))';
const HELD = `select exists (
  select from pg_catalog.pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted) as held`;
const END_FROZEN = `
  with frozen as (
    select a.pid from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and a.datname = current_database()
       and l.database = a.datid and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, 0)
       and a.state_change < clock_timestamp() - interval '10 seconds')
  select pg_terminate_backend(pid) from frozen
  union all
  select pg_terminate_backend(active_pid) from pg_catalog.pg_replication_slots
   where slot_name = $2 and active_pid is not null and exists (select from frozen)`;
