import type { PgRecord } from '../record/record.ts';
import { MICROS_PER_SECOND, microsToIso } from '../record/time.ts';

export interface GenerationsOptions {
  readonly record: PgRecord;
  /** Seconds tokens live; a user is remembered that long after their tokens were ended. */
  readonly tokenSeconds: number;
  /** Microseconds since 1970 UTC. */
  readonly clock: () => number;
}

interface GenerationRow {
  readonly id: string;
  readonly generation: number;
}

/**
 * Which tokens have been ended before their time. Every token carries its user's generation; ending a user's tokens raises it. Kept in
 * memory are only users whose tokens were ended while such tokens can still be out: usually none, so that the check costs nothing.
 */
export class Generations {
  readonly #options: GenerationsOptions;
  #current = new Map<string, number>();
  /** Since the refresh that is under way began: its query may not have seen them. */
  #raised = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  isAlive(sub: string, generation: number): boolean {
    if (this.#current.size === 0) return true;
    return generation >= (this.#current.get(sub) ?? 0);
  }

  raise(sub: string, generation: number): void {
    for (const map of [this.#current, this.#raised]) map.set(sub, Math.max(generation, map.get(sub) ?? 0));
  }

  /** Reads the record: what other processes ended comes in, what has expired by itself goes. One reading after another. */
  refresh(): Promise<void> {
    const refreshed = this.#last.then(() => this.#refresh());
    this.#last = refreshed.catch(() => {});
    return refreshed;
  }

  async #refresh(): Promise<void> {
    const { record, tokenSeconds, clock } = this.#options;
    this.#raised = new Map();
    // Twice the time: other processes' clocks may differ.
    const since = microsToIso(clock() - 2 * tokenSeconds * MICROS_PER_SECOND);
    const rows = await record.query<GenerationRow>(
      'select id, generation from lockstep.users where generation_at > $1',
      [since],
    );
    this.#current = new Map(rows.map((row) => [row.id, row.generation]));
    for (const [sub, generation] of this.#raised) this.raise(sub, generation);
  }
}
