import type { KeyNames } from './bucket/names.ts';
import type { ValkeyConnection } from './connection.ts';

/** Keys of one view that are measured; the others are taken for as large. */
const MEASURED = 1000;
const AGAIN_MS = 60_000;

interface Tally {
  keys: number;
  measured: number;
  bytes: number;
}

/** How much of the store's memory each view takes, as of about a minute ago: counted when somebody asks. */
export class Census {
  readonly #connection: ValkeyConnection;
  readonly #names: KeyNames;
  #tallies = new Map<string, Tally>();
  #countedAt = Number.NEGATIVE_INFINITY;
  #counting = false;

  constructor({ connection, names }: { connection: ValkeyConnection; names: KeyNames }) {
    this.#connection = connection;
    this.#names = names;
  }

  /** Bytes; 0 until it is known. */
  bytesOf(view: string): number {
    if (!this.#counting && performance.now() - this.#countedAt > AGAIN_MS) {
      this.#counting = true;
      this.count()
        .catch(() => {}) // the store is away
        .finally(() => {
          this.#counting = false;
          this.#countedAt = performance.now();
        });
    }
    const tally = this.#tallies.get(view);
    return tally && tally.measured > 0 ? Math.round((tally.bytes / tally.measured) * tally.keys) : 0;
  }

  async count(): Promise<void> {
    const tallies = new Map<string, Tally>();
    await this.#connection.scan(this.#names.pattern(), async (keys) => {
      await Promise.all(keys.map((key) => this.#add(key, tallies)));
    });
    this.#tallies = tallies;
  }

  async #add(key: string, tallies: Map<string, Tally>): Promise<void> {
    const view = this.#names.parse(key)?.view;
    if (view === undefined) return;
    const tally = tallies.get(view) ?? { keys: 0, measured: 0, bytes: 0 };
    tallies.set(view, tally);
    if (tally.keys++ >= MEASURED) return;
    const [bytes] = await this.#connection.pipeline(key, [['MEMORY', 'USAGE', key]]);
    if (typeof bytes !== 'number') return;
    tally.measured++;
    tally.bytes += bytes;
  }
}
