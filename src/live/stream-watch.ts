import { type FeedSession, RebuildNeeded } from '../changes/feed.ts';

/** How often the record's end is asked for, and whatever else is to be looked at. */
const LOOK_MS = 1000;
/** A stream that says nothing for so long, though it is asked every second, is dead, whatever its connection says. */
const SILENCE_MS = 15_000;
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

  /** Watches until the returned function is called. `heard.heardAt`: when the stream last said anything (`performance.now()`). */
  over(session: FeedSession, heard: { readonly heardAt: number }): () => void {
    const timers = [
      setInterval(() => this.#look(session, heard), LOOK_MS),
      setInterval(() => this.#options.tend(), TEND_MS),
    ];
    return () => timers.forEach(clearInterval);
  }

  #look(session: FeedSession, heard: { readonly heardAt: number }): void {
    this.#options.look();
    this.#options.flushedLsn().then(
      (lsn) => {
        this.recordEnd = lsn;
      },
      () => {}, // the record is away: the stream's end will say so
    );
    if (performance.now() - heard.heardAt > SILENCE_MS) {
      this.#options.ended(new RebuildNeeded('slot lost', `the stream was silent for ${SILENCE_MS / 1000} s`));
    }
    session.poke();
  }
}
