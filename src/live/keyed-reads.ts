import { ClientError } from '../record/errors.ts';
import { isBadValue } from '../record/failures.ts';
import type { PgRecord } from '../record/record.ts';
import type { Row } from '../record/value.ts';
import { arrayOf, type Key, type RowsRead, rowsByKey, seenBy } from '../views/lazy.ts';

/** Statements in flight at once. */
const FLIGHTS = 2;
/** Keys after which a statement is full; one request's are never split. */
const MAX_KEYS = 1000;

interface Asked {
  readonly keys: readonly Key[];
  resolve(read: RowsRead): void;
  reject(error: unknown): void;
}

/**
 * Reads rows by key, all requests of a turn of the event loop in one statement. What a caller gets was read after it asked,
 * in one snapshot, and says what that snapshot saw.
 */
export class KeyedReads {
  readonly #query: (parameters: readonly unknown[]) => Promise<Row[]>;
  readonly #id: string;
  #asked: Asked[] = [];
  #flights = 0;
  #scheduled = false;
  /** Statements sent. */
  statements = 0;

  constructor({ record, sql, id }: { record: PgRecord; sql: string; id: string }) {
    this.#query = record.prepare(sql);
    this.#id = id;
  }

  read(keys: readonly Key[]): Promise<RowsRead> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ keys, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#flights === FLIGHTS || this.#asked.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const { batch, keys } = this.#take();
    this.#flights++;
    this.#schedule();
    try {
      const read = await this.#send(keys);
      for (const { resolve } of batch) resolve(read);
    } catch (error) {
      if (batch.length > 1 && isFaultOfAKey(error)) await this.#sendEach(batch);
      else for (const { reject } of batch) reject(error);
    } finally {
      this.#flights--;
      this.#schedule();
    }
  }

  #take(): { batch: Asked[]; keys: Set<Key> } {
    const keys = new Set<Key>();
    let taken = 0;
    while (taken < this.#asked.length && (taken === 0 || keys.size < MAX_KEYS)) {
      for (const key of this.#asked[taken++]!.keys) keys.add(key);
    }
    return { batch: this.#asked.splice(0, taken), keys };
  }

  /** A key that PostgreSQL does not take fails its own request alone. */
  async #sendEach(batch: readonly Asked[]): Promise<void> {
    for (const { keys, resolve, reject } of batch) await this.#send(new Set(keys)).then(resolve, reject);
  }

  async #send(keys: ReadonlySet<Key>): Promise<RowsRead> {
    this.statements++;
    const found = await this.#query([arrayOf(keys)]);
    return { seen: seenBy(found), rows: rowsByKey(found, this.#id, keys) };
  }
}

function isFaultOfAKey(error: unknown): boolean {
  return error instanceof ClientError || isBadValue(error);
}
