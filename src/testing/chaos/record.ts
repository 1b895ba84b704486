import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresPair, postgresPair } from '../postgres-pair.ts';

const PAUSE_MS = 500;

/** PostgreSQL with a standby that commits wait for, so that no failover loses what was acknowledged. */
export class ChaosRecord {
  readonly #pair: PostgresPair;
  /** True when the standby has all that was acknowledged. */
  #standby = Promise.resolve(true);
  #over = false;

  private constructor(pair: PostgresPair) {
    this.#pair = pair;
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<ChaosRecord> {
    const record = new ChaosRecord(await postgresPair(t));
    await record.#pair.synchronise();
    t.after(() => record.#stop());
    return record;
  }

  get url(): string {
    return this.#pair.url;
  }

  async cut(): Promise<string> {
    await this.#pair.primary.ask(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
    );
    return '';
  }

  async kill(): Promise<string> {
    const { primary } = this.#pair;
    await primary.kill();
    await primary.start();
    return `on port ${primary.port}`;
  }

  /** Waits for a standby where there was a failover a moment ago; whether it has the slots by then is left to chance. */
  async failOver(): Promise<string> {
    if (!(await this.#standby)) return 'not at all: it is over';
    const { primary, standby } = this.#pair;
    await this.#pair.failOver();
    this.#standby = this.#replaceStandby();
    return `from port ${primary.port} to ${standby.port}`;
  }

  /** As often as it takes: the primary may be killed meanwhile. */
  async #replaceStandby(): Promise<boolean> {
    for (; !this.#over; await sleep(PAUSE_MS)) {
      try {
        await this.#pair.replaceStandby();
        await this.#pair.synchronise();
        return true;
      } catch {
        // again
      }
    }
    return false;
  }

  async #stop(): Promise<void> {
    this.#over = true;
    await this.#standby;
  }
}
