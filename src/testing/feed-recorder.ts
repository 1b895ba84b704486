import pg from 'pg';
import type { Change, Transaction } from '../changes/change.ts';
import type { FeedHandler, FeedSession } from '../changes/feed.ts';
import { type FeedOptions, openFeed } from '../changes/open-feed.ts';
import type { Row, Value } from '../record/value.ts';
import { silentLog, type TestDatabase } from './database.ts';

/** How long a test waits for what must come (milliseconds). */
const PATIENCE = 30_000;

/** A feed's handler that keeps what it was told, and lets a test wait for it. Acknowledges only where told to. */
export class FeedRecorder implements FeedHandler {
  readonly transactions: Transaction[] = [];
  readonly slices: (readonly Change[])[] = [];
  /** Calls in their order: `begin`, `slice 10`, `end`, `transaction 2`, `schema ...`. */
  readonly calls: string[] = [];
  readonly schemaChanges: string[] = [];
  /** Rows of every table as the changes left them, by key. */
  readonly tables = new Map<string, Map<string, Row>>();
  position = 0;
  error: Error | undefined;
  /** Called after each call with the position reached. */
  onStep: (recorder: FeedRecorder) => void = () => {};
  readonly #waiting = new Set<() => void>();

  get changes(): Change[] {
    return [...this.transactions.flatMap((transaction) => transaction.changes), ...this.slices.flat()];
  }

  transaction(transaction: Transaction): void {
    this.transactions.push(transaction);
    this.#apply(transaction.changes);
    this.position = transaction.lsn;
    this.#step(`transaction ${transaction.changes.length}`);
  }

  largeBegin(): void {
    this.#step('begin');
  }

  largeSlice(changes: readonly Change[]): void {
    this.slices.push(changes);
    this.#apply(changes);
    this.#step(`slice ${changes.length}`);
  }

  largeEnd(transaction: Transaction): void {
    this.transactions.push(transaction);
    this.position = transaction.lsn;
    this.#step('end');
  }

  progress(lsn: number): void {
    this.position = lsn;
    this.#step();
  }

  schemaChanged(detail: string): void {
    this.schemaChanges.push(detail);
    this.#step(`schema ${detail}`);
  }

  ended(error: Error): void {
    this.error = error;
    this.#step('ended');
  }

  /** Loads a snapshot's rows as if they had been inserted. */
  load(table: string, key: readonly string[], rows: readonly Row[]): void {
    const state = this.#table(table);
    for (const row of rows) state.set(keyOf(key, row), row);
  }

  rows(table: string): Row[] {
    return [...this.#table(table).values()];
  }

  /** Resolves when `condition` holds; fails when the stream ends before, or after a time. */
  async until(condition: (recorder: FeedRecorder) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (condition(this)) resolve();
      else if (this.error) reject(this.error);
    };
    const timer = setTimeout(() => reject(new Error(`waited in vain; so far: ${this.calls.slice(-20)}`)), PATIENCE);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Waits until everything committed before is delivered, asking the server to say so. */
  async caughtUp(database: TestDatabase, session: FeedSession): Promise<void> {
    const lsn = await database.record.flushedLsn();
    const poking = setInterval(() => session.poke(), 20);
    try {
      await this.until(({ position }) => position >= lsn);
    } finally {
      clearInterval(poking);
    }
  }

  #apply(changes: readonly Change[]): void {
    for (const change of changes) {
      const { key, name } = change.table;
      const state = this.#table(name);
      if (change.op === 'truncate') state.clear();
      if (change.op === 'delete') state.delete(keyOf(key, change.before));
      if (change.op === 'update') {
        const old = state.get(keyOf(key, change.before ?? change.after));
        if (change.before) state.delete(keyOf(key, change.before));
        state.set(keyOf(key, change.after), filled(change.after, old));
      }
      if (change.op === 'insert') state.set(keyOf(key, change.after), change.after);
    }
  }

  #table(name: string): Map<string, Row> {
    const state = this.tables.get(name) ?? new Map<string, Row>();
    this.tables.set(name, state);
    return state;
  }

  #step(call?: string): void {
    if (call) this.calls.push(call);
    this.onStep(this);
    for (const look of this.#waiting) look();
  }
}

/** Opens a feed on a test database, with a temporary slot of its own unless told. */
export function openTestFeed(
  database: TestDatabase,
  options: Partial<FeedOptions> & Pick<FeedOptions, 'sources'>,
): Promise<FeedSession> {
  return openFeed({
    sqlUrl: database.url,
    replicationUrl: database.record.replicationUrl,
    publication: 'lockstep',
    slot: { name: testSlot(), temporary: true },
    walLimitBytes: 2 ** 40,
    log: silentLog,
    ...options,
  });
}

let slots = 0;

/** A slot's name that no other test has. */
export function testSlot(): string {
  return `test_${process.pid}_${Date.now().toString(36)}_${slots++}`;
}

function keyOf(key: readonly string[], row: Row): string {
  return JSON.stringify(key.map((column) => String(row[column])));
}

/** A large value that the log left out is still what it was. */
function filled(row: Row, old: Row | undefined): Row {
  const complete: Record<string, Value> = { ...row };
  for (const [name, value] of Object.entries(row)) if (value === undefined) complete[name] = old?.[name];
  return complete;
}

/** A connection for a test's own statements, several in one text, in schema `public`. */
export async function openWriter(database: TestDatabase) {
  const client = new pg.Client({ connectionString: database.url, options: '-c search_path=public' });
  client.on('error', () => {}); // a test may end it
  await client.connect();
  return {
    client,
    /** Rows of the last statement. */
    async sql(text: string): Promise<Record<string, unknown>[]> {
      const result: pg.QueryResult | pg.QueryResult[] = await client.query(text);
      return (Array.isArray(result) ? result.at(-1)! : result).rows;
    },
    close: () => client.end(),
  };
}

export type Writer = Awaited<ReturnType<typeof openWriter>>;
