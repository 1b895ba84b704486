import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Injected by tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}

/** Waits longer after each failure in a row: doubling, with jitter, up to a bound. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const full = Math.min(this.#options.maxMs, this.#options.firstMs * 2 ** Math.min(this.#failures++, 30));
    return full * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
  }

  /** Waits; ends early, without an error, when aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.next();
    await (this.#options.sleep ?? defaultSleep)(ms, signal).catch(() => {});
  }
}

async function defaultSleep(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
