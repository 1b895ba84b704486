import type { Logger } from 'pino';
import type { PgRecord } from '../record/record.ts';

const LOOK_MS = 60_000;
const LEFT_MS = 600_000;

export interface LeftSlotOptions {
  readonly record: PgRecord;
  /** Of the views in a store. */
  readonly slot: string;
  readonly log: Pick<Logger, 'warn'>;
  /** Nodes that have shown no sign of life for so long are gone; ten minutes unless told. */
  readonly leftMs?: number;
}

interface Found {
  readonly active: boolean;
  readonly retainedBytes: number;
  readonly left: boolean;
}

/**
 * The slot of the views in a store, as a process without a store sees it. It outlives the nodes, so that they go on from it; when
 * they are gone for good it would keep log without bound (CORRECTNESS 14). So it is dropped when none of them has led for a while.
 * Nodes that come back after all build their views anew.
 */
export class LeftSlot {
  readonly #options: LeftSlotOptions;
  #timer: NodeJS.Timeout | undefined;
  #told = false;

  constructor(options: LeftSlotOptions) {
    this.#options = options;
  }

  /** Looks at once, and once a minute. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
    await this.look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const { record, slot, log, leftMs = LEFT_MS } = this.#options;
    const fix = `select pg_drop_replication_slot('${slot}')`;
    try {
      const [found] = await record.query<Found>(LOOK, [slot, leftMs]);
      if (!found || found.active) return;
      const { retainedBytes } = found;
      if (found.left) {
        await record.query(DROP, [slot]);
        log.warn({ slot, retainedBytes }, 'the slot of views in a store was left behind, and kept log: it is dropped');
      } else if (!this.#told) {
        this.#told = true;
        log.warn(
          { slot, retainedBytes, fix },
          `VALKEY_URL is not set, and the slot of views in a store keeps log: it is dropped when no node has led for ${leftMs / 60_000} minutes`,
        );
      }
    } catch (error) {
      log.warn({ slot, err: error, fix }, 'the slot of views in a store may keep log, and could not be dropped');
    }
  }
}

const LOOK = `
  select s.active,
         coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn), 0)::float8 as "retainedBytes",
         coalesce(l.heartbeat < pg_catalog.clock_timestamp() - $2 * interval '1 millisecond', true) as left
    from pg_catalog.pg_replication_slots s, lockstep.leader l
   where s.slot_name = $1 and s.database = pg_catalog.current_database()`;

/** A node may have come back meanwhile. */
const DROP = `
  select pg_catalog.pg_drop_replication_slot(slot_name) from pg_catalog.pg_replication_slots
   where slot_name = $1 and not active`;
