import type { Clock } from '../runtime/scheduler.ts';

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #waits = new Set<{ readonly until: number; readonly resolve: () => void }>();

  constructor(options: { now: number }) {
    this.#now = options.now;
  }

  now(): number {
    return this.#now;
  }

  /** Who waits, and until when, earliest first. */
  get waits(): readonly number[] {
    return [...this.#waits].map(({ until }) => until).sort((a, b) => a - b);
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wait = { until: this.#now + ms, resolve };
      this.#waits.add(wait);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Moves on, and ends the waits that are over by then. */
  advance(ms: number): void {
    this.#now += ms;
    for (const wait of this.#waits) {
      if (wait.until > this.#now) continue;
      this.#waits.delete(wait);
      wait.resolve();
    }
  }
}
