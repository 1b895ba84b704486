import { type Connections, send } from '../connections.ts';
import { ConnectionLost, RecordBusy, RecordUnavailable } from '../failures.ts';
import type { CoalescedRead } from '../record.ts';
import type { Row, Value } from '../value.ts';
import { arrayOf } from './array-of.ts';
import { runBisecting } from './bisect.ts';
import { type Statement, statement } from './statement.ts';

const FLIGHTS = 2;
const MAX_QUEUED = 100_000;
/** Tries after a lost connection. */
const TRIES = 5;

interface Asked<Output> {
  readonly name: string;
  readonly value: Value;
  readonly waiting: { resolve(output: Output): void; reject(error: unknown): void }[];
}

/**
 * See `CoalescedRead`. Callers share a read only while it has not been sent: what a caller gets was read after it asked, so
 * a write that was answered before is in it.
 */
export class ReadCoalescer<Key, Output> {
  readonly #connections: Connections;
  readonly #read: CoalescedRead<Key, Output>;
  readonly #statement: Statement;
  readonly #maxKeys: number;
  #asked = new Map<string, Asked<Output>>();
  #queued = 0;
  #flights = 0;
  #scheduled = false;

  constructor(options: { connections: Connections; read: CoalescedRead<Key, Output> }) {
    this.#connections = options.connections;
    this.#read = options.read;
    this.#maxKeys = options.read.maxKeys ?? 1000;
    this.#statement = statement(options.read.sql, [options.read.keyType]);
  }

  get(key: Key): Promise<Output> {
    return new Promise((resolve, reject) => {
      if (this.#queued >= MAX_QUEUED) throw new RecordBusy(`${this.#queued} reads are waiting`);
      const value = this.#read.keyOf(key);
      const name = nameOf(value);
      let asked = this.#asked.get(name);
      if (!asked) {
        asked = { name, value, waiting: [] };
        this.#asked.set(name, asked);
      }
      asked.waiting.push({ resolve, reject });
      this.#queued++;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#flights === FLIGHTS || this.#asked.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#take();
    this.#flights++;
    runBisecting(
      batch,
      (part) => this.#send(part),
      (failed, error) => this.#fail(failed, error),
    ).finally(() => {
      this.#flights--;
      this.#schedule();
    });
    this.#schedule();
  }

  #take(): Asked<Output>[] {
    const all = this.#asked;
    if (all.size <= this.#maxKeys) {
      this.#asked = new Map();
      return [...all.values()];
    }
    const batch = [...all.values()].slice(0, this.#maxKeys);
    for (const { name } of batch) all.delete(name);
    return batch;
  }

  async #send(batch: readonly Asked<Output>[]): Promise<void> {
    const groups = Map.groupBy(await this.#query(batch), (row) => nameOf(row.key));
    for (const { name, waiting } of batch) {
      this.#queued -= waiting.length;
      try {
        const output = this.#read.decode(groups.get(name) ?? []);
        for (const { resolve } of waiting) resolve(output);
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
  }

  async #query(batch: readonly Asked<Output>[]): Promise<Row[]> {
    const values = [
      arrayOf(
        this.#read.keyType,
        batch.map(({ value }) => value),
      ),
    ];
    const query = { ...this.#statement, values };
    for (let tries = 1; ; tries++) {
      try {
        return (await this.#connections.use((client) => send(client, query))).rows;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (tries === TRIES) throw new RecordUnavailable(error);
      }
    }
  }

  #fail(failed: readonly Asked<Output>[], error: unknown): void {
    for (const { waiting } of failed) {
      this.#queued -= waiting.length;
      for (const { reject } of waiting) reject(error);
    }
  }
}

/** A key is the same however it came: as a number, a bigint or text. */
function nameOf(value: Value): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
