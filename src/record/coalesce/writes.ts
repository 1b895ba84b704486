import { type Connections, send } from '../connections.ts';
import { ConnectionLost, RecordBusy, RecordUnavailable, RecordUnknownOutcome } from '../failures.ts';
import type { CoalescedWrite, Written } from '../record.ts';
import type { Row } from '../value.ts';
import { arrayOf } from './array-of.ts';
import { runBisecting } from './bisect.ts';
import { type Statement, statement } from './statement.ts';
import { takeTransactionId, withTransactionId } from './transaction-id.ts';

/** Statements in flight at once. Two were no faster, and with one the commits come in the order of the calls. */
const FLIGHTS = 1;
/** Times an input is sent again after a lost connection. */
const RESENDS = 5;

interface Waiting<Input, Output> {
  readonly input: Input;
  readonly key: string | undefined;
  readonly values: readonly unknown[];
  readonly retriable: boolean;
  readonly resolve: (written: Written<Output>) => void;
  readonly reject: (error: unknown) => void;
  resends: number;
  /** The next input of the same key: it is ready when this one is done. */
  next: Waiting<Input, Output> | undefined;
}

/** See `CoalescedWrite`. */
export class WriteCoalescer<Input, Output> {
  readonly #connections: Connections;
  readonly #write: CoalescedWrite<Input, Output>;
  readonly #statement: Statement;
  readonly #maxRows: number;
  readonly #maxQueued: number;
  #ready: Waiting<Input, Output>[] = [];
  /** The last input of each key that is waiting or in flight. */
  readonly #last = new Map<string, Waiting<Input, Output>>();
  #queued = 0;
  #flights = 0;
  #scheduled = false;

  constructor(options: { connections: Connections; write: CoalescedWrite<Input, Output> }) {
    this.#connections = options.connections;
    this.#write = options.write;
    this.#statement = statement(withTransactionId(options.write.sql), options.write.columns);
    this.#maxRows = options.write.maxRows ?? 1000;
    this.#maxQueued = options.write.maxQueued ?? 100_000;
  }

  add(input: Input): Promise<Written<Output>> {
    return new Promise((resolve, reject) => {
      if (this.#queued >= this.#maxQueued) throw new RecordBusy(`${this.#queued} writes are waiting`);
      const key = this.#write.key?.(input);
      const values = this.#write.encode(input);
      const retriable = this.#write.retriable?.(input) ?? false;
      this.#queued++;
      this.#enqueue({ input, key, values, retriable, resolve, reject, resends: 0, next: undefined });
    });
  }

  #enqueue(waiting: Waiting<Input, Output>): void {
    const { key } = waiting;
    const before = key === undefined ? undefined : this.#last.get(key);
    if (key !== undefined) this.#last.set(key, waiting);
    if (before) before.next = waiting;
    else this.#makeReady(waiting);
  }

  #makeReady(waiting: Waiting<Input, Output>): void {
    this.#ready.push(waiting);
    this.#schedule();
  }

  /** At the end of this turn of the event loop: everything that comes in it goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#flights === FLIGHTS || this.#ready.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#ready.splice(0, this.#maxRows);
    if (batch.length === 0) return;
    if (this.#write.key) batch.sort(byKey);
    this.#flights++;
    const fail = (failed: readonly Waiting<Input, Output>[], error: unknown) => this.#fail(failed, error);
    runBisecting(batch, (part) => this.#send(part), fail).finally(() => {
      this.#flights--;
      this.#schedule();
    });
    this.#schedule();
  }

  async #send(batch: readonly Waiting<Input, Output>[]): Promise<void> {
    const values = this.#write.columns.map((type, column) =>
      arrayOf(
        type,
        batch.map((waiting) => waiting.values[column]),
      ),
    );
    const query = { ...this.#statement, values, rowMode: 'array' };
    const { rows, xid } = takeTransactionId(await this.#connections.use((client) => send(client, query)));
    const { missing } = this.#write;
    const found = missing === undefined ? rows : placed(rows, batch.length);
    if (found.length !== batch.length) {
      throw new Error(`a coalesced write returned ${rows.length} rows for ${batch.length} inputs: ${this.#write.sql}`);
    }
    const receipt = { xid };
    for (let i = 0; i < batch.length; i++) this.#succeed(batch[i]!, found[i], receipt);
  }

  #succeed(waiting: Waiting<Input, Output>, row: Row | undefined, receipt: Written<Output>['receipt']): void {
    this.#settle(waiting);
    const { decode, missing } = this.#write;
    try {
      waiting.resolve({ value: row ? decode(row, waiting.input) : missing!, receipt });
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** Rejects, or sends again what can do no harm when its outcome is unknown. */
  #fail(failed: readonly Waiting<Input, Output>[], error: unknown): void {
    const lost = error instanceof ConnectionLost ? error : undefined;
    const reason = lost?.unsent ? new RecordUnavailable(error) : lost ? new RecordUnknownOutcome(error) : error;
    for (const waiting of failed) {
      const again = lost && (lost.unsent || waiting.retriable) && waiting.resends++ < RESENDS;
      if (again) this.#makeReady(waiting);
      else {
        this.#settle(waiting);
        waiting.reject(reason);
      }
    }
  }

  #settle(waiting: Waiting<Input, Output>): void {
    this.#queued--;
    if (waiting.next) this.#makeReady(waiting.next);
    else if (waiting.key !== undefined) this.#last.delete(waiting.key);
  }
}

/** The rows by the places of their inputs. */
function placed(rows: readonly Row[], inputs: number): (Row | undefined)[] {
  const found = new Array<Row | undefined>(inputs).fill(undefined);
  for (const row of rows) {
    const place = row.lockstep_place as number;
    if (!(place >= 1 && place <= inputs) || found[place - 1]) {
      throw new Error(`a coalesced write returned the place ${place} of ${inputs} inputs, or returned it twice`);
    }
    found[place - 1] = row;
  }
  return found;
}

/** All writers lock rows in one order, so that they do not deadlock. Keys are distinct within a batch. */
function byKey<W extends { readonly key: string | undefined }>(a: W, b: W): number {
  return a.key! < b.key! ? -1 : 1;
}
