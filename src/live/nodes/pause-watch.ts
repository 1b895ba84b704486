/** How often it looks. */
const LOOK_MS = 200;

export interface PauseWatchOptions {
  /** Longest time without a turn of the event loop that is no pause. */
  readonly pauseMs: number;
  /** Sends this to itself, by the way on which the leader's messages come. */
  ask(mark: number): void;
  /** `performance.now()`, injected by tests. */
  readonly clock?: () => number;
}

/**
 * Notices that this process was stopped for a while (SIGSTOP, a suspended machine, a turn that took too long): what it hears first
 * afterwards is what the leader said then. It is awake again when it hears what it has since said itself: everything before that
 * was heard.
 */
export class PauseWatch {
  readonly #options: PauseWatchOptions;
  readonly #clock: () => number;
  #lookedAt = Number.POSITIVE_INFINITY;
  /** What it waits to hear; 0 while it is awake. */
  #awaited = 0;
  #marks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PauseWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Whether what was heard last is news. */
  get awake(): boolean {
    return this.#awaited === 0 && this.#clock() - this.#lookedAt < this.#options.pauseMs;
  }

  start(): void {
    this.#lookedAt = this.#clock();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A mark that is lost is followed by the next one. */
  look(): void {
    const now = this.#clock();
    const paused = now - this.#lookedAt >= this.#options.pauseMs;
    this.#lookedAt = now;
    if (!paused && this.#awaited === 0) return;
    if (paused) this.#awaited = ++this.#marks;
    this.#options.ask(this.#awaited);
  }

  heard(mark: number): void {
    if (mark === this.#awaited) this.#awaited = 0;
  }
}
