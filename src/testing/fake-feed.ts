import type { Change, Table, Transaction } from '../changes/change.ts';
import { type FeedHandler, type FeedSession, RebuildNeeded } from '../changes/feed.ts';
import type { Row } from '../record/value.ts';

/** A write of {@link FakeLog.commit}: the row with that id from now on, or none. */
export interface FakeWrite {
  readonly id: number;
  readonly value: number | null;
}

export const FAKE_TABLE: Table = {
  oid: 1,
  name: 'fake.rows',
  columns: [
    { name: 'id', type: 23 },
    { name: 'value', type: 23 },
  ],
  key: ['id'],
  full: false,
};

interface Committed {
  readonly transaction: Transaction;
  readonly large: boolean;
}

/**
 * A record in memory, one table, for tests of what follows it: commits go into a log, sessions read it, step by step, as the
 * test says. Snapshots are taken at the moment a session opens.
 */
export class FakeLog {
  readonly rows = new Map<number, number>();
  readonly sessions = new Set<FakeSession>();
  readonly log: Committed[] = [];
  #xid = 100;
  lsn = 1000;

  get nextXid(): number {
    return this.#xid;
  }

  /** Commits one transaction; a large one is delivered in slices of two changes. */
  commit(writes: readonly FakeWrite[], large = false): Transaction {
    const changes: Change[] = [];
    for (const { id, value } of writes) {
      const known = this.rows.has(id);
      if (value === null && known) changes.push({ op: 'delete', table: FAKE_TABLE, before: { id }, after: null });
      else if (value !== null) {
        const op = known ? 'update' : 'insert';
        changes.push({ op, table: FAKE_TABLE, before: null, after: { id, value } });
      }
      if (value === null) this.rows.delete(id);
      else this.rows.set(id, value);
    }
    this.lsn += 10;
    const transaction = { xid: this.#xid++, lsn: this.lsn, committedAt: this.lsn, changes };
    this.log.push({ transaction, large });
    return transaction;
  }

  open(epoch = 'fake'): FakeSession {
    const session = new FakeSession(this, epoch);
    this.sessions.add(session);
    return session;
  }
}

/** A session of a {@link FakeLog}; delivers only when `step` is called. */
export class FakeSession implements FeedSession {
  readonly slot = { name: 'fake', temporary: true };
  readonly retainedBytes = 0;
  heardAt = Number.POSITIVE_INFINITY;
  readonly epoch: string;
  readonly start: number;
  readonly snapshot: NonNullable<FeedSession['snapshot']>;
  readonly #log: FakeLog;
  #handler: FeedHandler | null = null;
  #next: number;
  #slices: Change[][] | null = null;
  /** The handler is at work on a large transaction. */
  #busy = false;
  #pokes = 0;
  acknowledged = 0;

  constructor(log: FakeLog, epoch: string) {
    this.#log = log;
    this.epoch = epoch;
    this.start = log.lsn;
    this.#next = log.log.length;
    const rows: Row[] = [...log.rows].map(([id, value]) => ({ id, value }));
    this.snapshot = {
      visible: { xmin: log.nextXid, xmax: log.nextXid, running: [] },
      async read(_source, onRows) {
        for (let i = 0; i < rows.length; i += 3) {
          await new Promise(setImmediate);
          await onRows(rows.slice(i, i + 3));
        }
        return rows.length;
      },
      estimate: async () => rows.length,
      close: async () => {},
    };
  }

  async stream(from: number, handler: FeedHandler): Promise<void> {
    this.#next = this.#log.log.findIndex(({ transaction }) => transaction.lsn > from);
    if (this.#next < 0) this.#next = this.#log.log.length;
    this.#handler = handler;
  }

  acknowledge(lsn: number): void {
    this.acknowledged = lsn;
  }

  poke(): void {
    this.#pokes++;
  }

  pause(): void {}

  resume(): void {}

  async close(): Promise<void> {
    this.#handler = null;
    this.#log.sessions.delete(this);
  }

  /** The connection is lost. */
  kill(): void {
    const handler = this.#handler;
    this.#handler = null;
    handler?.ended(new RebuildNeeded('slot lost', 'killed by the test'));
  }

  /** The log tells of DDL on the table. */
  tellSchemaChange(): void {
    this.#handler?.schemaChanged('ALTER TABLE on fake.rows');
  }

  /** Delivers one thing: a transaction, a slice of a large one, or a keepalive that was asked for. False when there is none. */
  step(): boolean {
    const handler = this.#handler;
    if (!handler || this.#busy) return false;
    const committed = this.#log.log[this.#next];
    if (!committed) {
      if (this.#pokes === 0) return false;
      this.#pokes = 0;
      handler.progress(this.#log.lsn);
      return true;
    }
    if (committed.large) return this.#stepLarge(handler, committed.transaction);
    this.#next++;
    handler.transaction(committed.transaction);
    return true;
  }

  #stepLarge(handler: FeedHandler, transaction: Transaction): boolean {
    if (!this.#slices) {
      this.#slices = [];
      for (let i = 0; i < transaction.changes.length; i += 2) this.#slices.push(transaction.changes.slice(i, i + 2));
      handler.largeBegin(transaction.xid, transaction.lsn - 5);
      return true;
    }
    const slice = this.#slices.shift();
    if (slice) {
      handler.largeSlice(slice);
      return true;
    }
    this.#slices = null;
    this.#next++;
    const busy = handler.largeEnd({ ...transaction, changes: [] });
    this.#busy = busy !== undefined;
    busy?.then(() => {
      this.#busy = false;
    });
    return true;
  }
}
