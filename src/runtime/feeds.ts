import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlotBusy } from '../changes/errors.ts';
import type { FeedSession, Source } from '../changes/feed.ts';
import { openFeed } from '../changes/open-feed.ts';
import type { Position } from '../changes/position.ts';
import type { Log } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import type { Config } from './config.ts';

export const PUBLICATION = 'lockstep';
/** How long the slot's holder of before may take to end. */
const FREE_MS = 5000;

export interface DurableFeed {
  readonly sources: readonly Source[];
  /** The slot's name. */
  readonly slot: string;
  /** Where it goes on; from the slot's own position without it. */
  readonly state?: Position | null;
  /** With a new slot, and its snapshot. */
  readonly anew: boolean;
}

/** Opens sessions of the change feed on the record. */
export class Feeds {
  readonly #record: PgRecord;
  readonly #walLimitBytes: number;
  readonly #log: Log;
  #opened = 0;

  constructor({ record, config, log }: { record: PgRecord; config: Config; log: Log }) {
    this.#record = record;
    this.#walLimitBytes = config.walLimitBytes;
    this.#log = log;
  }

  /** With a slot that is gone with its connection, and its snapshot (CORRECTNESS 14). */
  temporary(purpose: 'main' | 'aside', sources: readonly Source[]): Promise<FeedSession> {
    // The name is the session's own: unique on the server, and telling whose it is.
    const name = `lockstep_${purpose}_${process.pid}_${randomBytes(4).toString('hex')}_${this.#opened++}`;
    return openFeed({ ...this.#options(sources), slot: { name, temporary: true } });
  }

  /** With a slot that stays. Throws `SlotBusy` while another session has it. */
  durable({ sources, slot, state, anew }: DurableFeed): Promise<FeedSession> {
    return openFeed({
      ...this.#options(sources),
      slot: { name: slot, temporary: false },
      ...(state && !anew && { state }),
      anew,
    });
  }

  /** The same by right: whoever still has the slot has lost it, and is ended. */
  async taken(feed: DurableFeed): Promise<FeedSession> {
    for (const deadline = performance.now() + FREE_MS; ; await sleep(2)) {
      try {
        return await this.durable(feed);
      } catch (error) {
        if (!(error instanceof SlotBusy) || performance.now() > deadline) throw error;
        if (error.pid) await this.#record.query('select pg_terminate_backend($1)', [error.pid]);
      }
    }
  }

  #options(sources: readonly Source[]) {
    return {
      sqlUrl: this.#record.url,
      replicationUrl: this.#record.replicationUrl,
      publication: PUBLICATION,
      sources,
      walLimitBytes: this.#walLimitBytes,
      log: this.#log,
    };
  }
}
