/** How often it looks. */
const LOOK_MS = 200;

export interface PauseWatchOptions {
  /** Longest time without a turn of the event loop that is no pause. */
  readonly pauseMs: number;
  /** Sends this to itself, by the way on which the leader's messages come. */
  ask(mark: number): void;
  /** `performance.now()`, injected by tests. */
  readonly clock?: () => number;
  /** `Date.now()`, injected by tests: the other one stands still while a machine is suspended, this one may be set. */
  readonly wallClock?: () => number;
}

/**
 * Notices that this process was stopped for a while (SIGSTOP, a suspended machine, a turn that took too long): what it hears first
 * afterwards is what the leader said then. It is awake again when it hears what it has since said itself: everything before that
 * was heard.
 */
export class PauseWatch {
  readonly #options: PauseWatchOptions;
  readonly #clock: () => number;
  readonly #wallClock: () => number;
  #lookedAt = Number.POSITIVE_INFINITY;
  #wallAt = Number.POSITIVE_INFINITY;
  /** What it waits to hear; 0 while it is awake. */
  #awaited = 0;
  #marks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PauseWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#wallClock = options.wallClock ?? (() => Date.now());
  }

  /** Whether what was heard last is news. */
  get awake(): boolean {
    return this.#awaited === 0 && !this.#paused;
  }

  get #paused(): boolean {
    const { pauseMs } = this.#options;
    return this.#clock() - this.#lookedAt >= pauseMs || this.#wallClock() - this.#wallAt >= pauseMs;
  }

  #looked(): void {
    this.#lookedAt = this.#clock();
    this.#wallAt = this.#wallClock();
  }

  start(): void {
    this.#looked();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A mark that is lost is followed by the next one. */
  look(): void {
    const paused = this.#paused;
    this.#looked();
    if (!paused && this.#awaited === 0) return;
    if (paused) this.#awaited = ++this.#marks;
    this.#options.ask(this.#awaited);
  }

  heard(mark: number): void {
    if (mark === this.#awaited) this.#awaited = 0;
  }
}
