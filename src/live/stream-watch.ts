import { type FeedSession, RebuildNeeded } from '../changes/feed.ts';

/** How often the record's end is asked for, and whatever else is to be looked at. */
const LOOK_MS = 1000;
/**
 * A stream that says nothing for so long, though it is asked every second, is dead, whatever its connection says. In a transaction of
 * tables that are not published PostgreSQL answers when half of `wal_sender_timeout` is over: see `connect`.
 */
const SILENCE_MS = 15_000;
export const SILENT = `the stream was silent for ${SILENCE_MS / 1000} s`;
/** How often views let go of what is old, and broken ones are built again. */
const TEND_MS = 15_000;

export interface StreamWatchOptions {
  flushedLsn(): Promise<number>;
  /** Every second besides. */
  look(): void;
  /** Every 15 seconds. */
  tend(): void;
  /** The stream is dead. */
  ended(error: Error): void;
}

/** Looks after a stream that views follow: the record's end, signs of life, and what its follower does now and then. */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  /** The end of the record's flushed log when it was last asked for. */
  recordEnd = 0;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  /** Watches until the returned function is called. */
  over(session: FeedSession): () => void {
    const timers = [setInterval(() => this.#look(session), LOOK_MS), setInterval(() => this.#options.tend(), TEND_MS)];
    return () => timers.forEach(clearInterval);
  }

  #look(session: FeedSession): void {
    this.#options.look();
    this.#options.flushedLsn().then(
      (lsn) => {
        this.recordEnd = lsn;
      },
      () => {}, // the record is away: the stream's end will say so
    );
    if (isSilent(session)) this.#options.ended(new RebuildNeeded('slot lost', SILENT));
    session.poke();
  }
}

export function isSilent({ heardAt }: FeedSession): boolean {
  return performance.now() - heardAt > SILENCE_MS;
}
