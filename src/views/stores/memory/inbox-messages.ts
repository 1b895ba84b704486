import type { Value } from '../../../record/value.ts';
import { IdIndex } from './id-index.ts';
import { NodePool, type NodePoolOptions } from './node-pool.ts';
import type { RowOrder } from './node-tree.ts';
import { NumberColumn } from './number-column.ts';
import { OrderedRows } from './ordered-rows.ts';
import { sortRows } from './radix-sort.ts';

/** The row that stands for a place in the order when it is asked for; no message. */
const PROBE = 0;

/** The messages of one author in one conversation. */
export interface Thread {
  readonly number: number;
  readonly author: Value;
  count: number;
}

/**
 * Which messages there are, each by its id and the thread it belongs to: 8 bytes, about 9 in the tree and 4 in the index of ids.
 * Row numbers are used again once freed, and so are threads' numbers.
 */
export class InboxMessages {
  /** Null in a free row. */
  readonly #id = new NumberColumn();
  /** In a free row, the next free one. */
  readonly #thread = new NumberColumn();
  readonly #ids = new IdIndex({ idOf: (row) => this.#id.at(row) });
  readonly #pool: NodePool;
  readonly #byThread: OrderedRows;
  #probeThread = 0;
  #probeId = 0;
  #threads = 0;
  #freeThreads: number[] = [];
  #freeRow = -1;
  /** Row numbers given out so far, the probe and free ones among them. */
  top = PROBE + 1;
  count = 0;

  constructor(options: { fanout?: NodePoolOptions | undefined }) {
    const order: RowOrder = {
      key: (row) => (row === PROBE ? this.#probeThread : this.#thread.at(row)),
      second: (row) => this.#place(row),
      compare: (a, b) => this.#place(a) - this.#place(b),
    };
    this.#pool = new NodePool(options.fanout);
    this.#byThread = new OrderedRows({ pool: this.#pool, order });
    this.#id.set(PROBE, null);
    this.#thread.set(PROBE, -1);
  }

  newThread(author: Value): Thread {
    return { number: this.#freeThreads.pop() ?? this.#threads++, author, count: 0 };
  }

  /** Lets go of a thread without messages: its number goes to another one. */
  freeThread(thread: Thread): void {
    this.#freeThreads.push(thread.number);
  }

  find(id: number): number {
    return this.#ids.find(id);
  }

  id(row: number): number | null {
    return this.#id.get(row);
  }

  /** The number of the row's thread. */
  thread(row: number): number {
    return this.#thread.at(row);
  }

  /** Adds a message whose id is not in it. While loading, the tree is built afterwards. */
  add(id: number, thread: Thread, options: { ordered: boolean } = { ordered: true }): void {
    const row = this.#freeRow >= 0 ? this.#freeRow : this.top++;
    if (row === this.#freeRow) this.#freeRow = this.#thread.at(row);
    this.#id.set(row, id);
    this.#thread.set(row, thread.number);
    this.#ids.add(id, row);
    if (options.ordered) this.#byThread.insert(row);
    thread.count++;
    this.count++;
  }

  remove(row: number, thread: Thread): void {
    this.#byThread.remove(row);
    this.#ids.remove(this.#id.at(row));
    this.#id.set(row, null);
    this.#thread.set(row, this.#freeRow);
    this.#freeRow = row;
    thread.count--;
    this.count--;
  }

  /** The highest id in a thread that has messages. */
  lastOf(thread: Thread): number {
    const end = this.#before(thread.number + 1, Number.NEGATIVE_INFINITY);
    return this.#id.at(this.#byThread.range(end - 1, 1)[0]!);
  }

  /** How many messages of the thread have a higher id. */
  countAfter(thread: Thread, id: number): number {
    if (thread.count === 0) return 0;
    return this.#before(thread.number + 1, Number.NEGATIVE_INFINITY) - this.#before(thread.number, id + 1);
  }

  /** Orders all messages that were added unordered. Yields now and then. */
  *build(): Generator<void> {
    const rows = new Int32Array(this.count);
    let at = 0;
    for (let row = PROBE + 1; row < this.top; row++) if (this.#id.get(row) !== null) rows[at++] = row;
    const byId = yield* sortRows(rows, (row) => this.#id.at(row));
    yield* this.#byThread.build(yield* sortRows(byId.rows, (row) => this.#thread.at(row)));
  }

  get bytes(): number {
    return this.#id.bytes + this.#thread.bytes + this.#ids.bytes + this.#pool.bytes;
  }

  /** Messages in threads of lower numbers, and those of this thread with a lower id. */
  #before(thread: number, id: number): number {
    this.#probeThread = thread;
    this.#probeId = id;
    return this.#byThread.before(PROBE);
  }

  #place(row: number): number {
    return row === PROBE ? this.#probeId : this.#id.at(row);
  }
}
