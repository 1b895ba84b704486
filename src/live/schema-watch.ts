import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { RebuildNeeded } from '../changes/feed.ts';
import type { ServedView } from './served-view.ts';
import type { Watermark } from './watermark.ts';

export interface SchemaWatchOptions {
  readonly views: readonly ServedView[];
  readonly watermark: Watermark;
  /** Throws RebuildNeeded('schema changed') when the followed tables are no longer what they were; `told`: the log told of DDL. */
  checkSchema(told: boolean): Promise<void>;
  /** `pg_current_snapshot()` */
  currentSnapshot(): Promise<string>;
  readonly stopped: AbortSignal;
  /** The views must be built anew. */
  rebuild(error: RebuildNeeded): void;
  /** Whether the views are doubted has changed. */
  doubted?(): void;
}

/** Watches for DDL, which changes rows without events (CORRECTNESS 15): told by the log, and looked for now and then. */
export class SchemaWatch {
  readonly #options: SchemaWatchOptions;
  #told = 0;
  /** So many of what was told are applied, or never will be. */
  #settled = 0;
  #checking = false;

  constructor(options: SchemaWatchOptions) {
    this.#options = options;
  }

  /**
   * The log told of DDL on a followed table: until it is known to be harmless, the views do not answer. `applied`: the transaction
   * it was told in is applied, which is in the next turn where that is done at once.
   */
  told(applied: () => Promise<void> = nextTurn): void {
    this.#told++;
    this.#doubt(true);
    applied().then(
      () => {
        this.#settled++;
        this.check();
      },
      () => this.#settled++, // the stream has ended
    );
  }

  /** One at a time, and not before what was told is applied: the mark that SQL has to come up to must hold it. */
  check(): void {
    if (this.#checking || this.#settled < this.#told) return;
    this.#checking = true;
    const told = this.#told;
    const doubted = this.#options.views.some((view) => view.doubted);
    this.#caughtUp(doubted)
      .then(() => this.#options.checkSchema(doubted))
      .then(
        () => {
          if (told === this.#told && doubted) this.#doubt(false);
        },
        (error) => {
          if (error instanceof RebuildNeeded) this.#options.rebuild(error); // otherwise the record is away: it is looked at again
        },
      )
      .finally(() => {
        this.#checking = false;
        if (told !== this.#told) this.check(); // told meanwhile
      });
  }

  #doubt(doubted: boolean): void {
    for (const view of this.#options.views) view.doubted = doubted;
    this.#options.doubted?.();
  }

  /** Waits until SQL shows everything the log has shown: the log is first (CORRECTNESS 11). */
  async #caughtUp(needed: boolean): Promise<void> {
    if (!needed) return;
    const { watermark, currentSnapshot, stopped } = this.#options;
    const mark = watermark.mark();
    while (!stopped.aborted && !watermark.visibleIn(await currentSnapshot(), mark)) await sleep(1);
  }
}
