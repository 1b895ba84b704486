import type pg from 'pg';
import type { Row } from '../record/value.ts';
import { readCopyRow } from './copy-text.ts';
import type { Snapshot, Source } from './feed.ts';
import type { FollowedTable } from './followed-table.ts';
import { identifier, literal, qualified } from './quote.ts';
import { parseSnapshot, type Snapshot as VisibleTransactions } from './visibility.ts';
import { inTime, leave } from './wire/answer.ts';
import { BackendStream } from './wire/backend-stream.ts';
import { connect } from './wire/connect.ts';
import { BACKEND, queryMessage, readError } from './wire/messages.ts';

/** Rows handed out in one turn of the event loop: about a millisecond's work, so that the server keeps serving. */
const BLOCK_ROWS = 4096;

type OnRows = (rows: readonly Row[]) => void | Promise<void>;

/** Opens a connection that sees the record exactly as it was when the snapshot was exported. */
export async function openSnapshot(options: {
  url: string;
  exported: string;
  tables: ReadonlyMap<string, FollowedTable>;
  answerMs: number;
}): Promise<PgSnapshot> {
  const client = await connect({ url: options.url });
  try {
    return await inTime(client, takeOver(client, options), options.answerMs);
  } catch (error) {
    await leave(client);
    throw error;
  }
}

async function takeOver(
  client: pg.Client,
  { exported, tables }: { exported: string; tables: ReadonlyMap<string, FollowedTable> },
): Promise<PgSnapshot> {
  // Building views takes its time: no time limit of the role's may end the transaction.
  await client.query(`select set_config(name, '0', false) from pg_catalog.pg_settings where name in
    ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout')`);
  await client.query('begin isolation level repeatable read, read only');
  await client.query(`set transaction snapshot ${literal(exported)}`);
  const { rows } = await client.query('select pg_catalog.pg_current_snapshot()::text as visible');
  return new PgSnapshot(client, tables, parseSnapshot(rows[0].visible));
}

export class PgSnapshot implements Snapshot {
  readonly visible: VisibleTransactions;
  readonly #client: pg.Client;
  readonly #tables: ReadonlyMap<string, FollowedTable>;
  /** One COPY at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #closed = new AbortController();

  constructor(client: pg.Client, tables: ReadonlyMap<string, FollowedTable>, visible: VisibleTransactions) {
    this.visible = visible;
    this.#client = client;
    this.#tables = tables;
  }

  read(source: Source, onRows: OnRows): Promise<number> {
    const table = this.#table(source.table);
    return this.#inTurn(() => copyRows({ client: this.#client, table, onRows, closed: this.#closed.signal }));
  }

  estimate(table: string): Promise<number> {
    const from = relationOf(this.#table(table));
    return this.#inTurn(async () => {
      const { rows } = await this.#client.query(`explain (format json) select from ${from}`);
      return Number(rows[0]['QUERY PLAN'][0].Plan['Plan Rows']);
    });
  }

  /** Ends the connection and with it the transaction, also in the middle of a read, which fails. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('the snapshot is closed'));
    await leave(this.#client);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      this.#closed.signal.throwIfAborted();
      return work();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  #table(name: string): FollowedTable {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`${name} is not among the tables the feed was opened for`);
    return table;
  }
}

/** A partitioned table's rows are its partitions'; a plain one's are its own, without what inherits from it. */
function relationOf({ facts }: FollowedTable): string {
  return facts.kind === 'p' ? qualified(facts.name) : `only ${qualified(facts.name)}`;
}

interface Copying {
  readonly client: pg.Client;
  readonly table: FollowedTable;
  readonly onRows: OnRows;
  readonly closed: AbortSignal;
}

function copyRows({ client, table, onRows, closed }: Copying): Promise<number> {
  const plan = table.snapshotPlan;
  const columns = plan.columns.map((column) => identifier(column!.name)).join(', ');
  return new Promise((resolve, reject) => {
    let block: Row[] = [];
    let count = 0;
    let failure: Error | undefined;
    const backend = new BackendStream({ client, onFrame, onEnd: reject });
    const stop = () => fail(closed.reason);
    closed.addEventListener('abort', stop);
    backend.send(queryMessage(`copy (select ${columns} from ${relationOf(table)}) to stdout`));

    function onFrame(type: number, bytes: Buffer, start: number, end: number): void {
      if (type === BACKEND.copyData) {
        block.push(readCopyRow(plan, bytes, start, end));
        if (block.length === BLOCK_ROWS) handOut(() => backend.resume());
      } else if (type === BACKEND.error) failure = readError(bytes, start, end);
      else if (type === BACKEND.readyForQuery) finish();
    }

    /** Reading rests until the block is taken, and the event loop has had its turn. */
    function handOut(then: () => void): void {
      backend.pause();
      const rows = block;
      block = [];
      count += rows.length;
      new Promise<void>((taken) => taken(onRows(rows))).then(() => setImmediate(then), fail);
    }

    function fail(error: Error): void {
      backend.destroy();
      reject(error);
    }

    function finish(): void {
      const done = () => {
        closed.removeEventListener('abort', stop);
        backend.release();
        if (failure) reject(failure);
        else resolve(count);
      };
      if (block.length > 0 && !failure) handOut(done);
      else done();
    }
  });
}
