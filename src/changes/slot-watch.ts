import type { Logger } from 'pino';
import type { Ask } from './catalog.ts';
import { RebuildNeeded } from './feed.ts';
import { overLimit, readSlot } from './slot.ts';

export interface SlotWatchOptions {
  readonly ask: Ask;
  readonly slot: string;
  readonly limitBytes: number;
  readonly intervalMs: number;
  readonly log: Pick<Logger, 'warn'>;
  readonly onRebuild: (reason: RebuildNeeded) => void;
}

/**
 * Measures the WAL a slot keeps back and gives up at the follower's own limit: PostgreSQL's `max_slot_wal_keep_size` may be out
 * of its hands (CORRECTNESS 14).
 */
export class SlotWatch {
  readonly #options: SlotWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #busy = false;
  #stopped = false;
  retainedBytes = 0;

  constructor(options: SlotWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Measures now; the reason when the slot is not to be followed on. */
  async look(): Promise<RebuildNeeded | undefined> {
    const { ask, slot, limitBytes } = this.#options;
    const state = await readSlot(ask, slot);
    if (!state) return new RebuildNeeded('slot lost', `replication slot "${slot}" does not exist any more`);
    this.retainedBytes = state.retainedBytes;
    if (state.lost) return new RebuildNeeded('slot lost', `replication slot "${slot}": ${state.lost}`);
    return state.retainedBytes > limitBytes ? overLimit(slot, state.retainedBytes, limitBytes) : undefined;
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const reason = await this.look();
      if (reason && !this.#stopped) this.#options.onRebuild(reason);
    } catch (error) {
      if (!this.#stopped)
        this.#options.log.warn({ err: error, slot: this.#options.slot }, 'the slot could not be measured');
    } finally {
      this.#busy = false;
    }
  }
}
