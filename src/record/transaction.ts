import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Connections, send } from './connections.ts';
import { ConnectionLost, isConflict, RecordBusy, RecordUnavailable, RecordUnknownOutcome } from './failures.ts';
import type { RecordTransaction, TransactionOptions, Written } from './record.ts';
import type { Row } from './value.ts';

/** Tries of a transaction that others were in the way of, or whose connection was lost before its COMMIT. */
const TRIES = 10;

/** A transaction in progress. Its statements run one after another, also when the caller does not wait in between. */
export class OpenTransaction implements RecordTransaction {
  readonly inTransaction = true;
  readonly client: pg.PoolClient;
  #last: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  query<R extends object = Row>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.run(async () => lastRows(await send<R>(this.client, { text: sql, values: [...parameters] })));
  }

  /** Runs `work` on the connection when everything before it is done. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#over)
      return Promise.reject(new Error('this transaction is over: its `query` was kept and used after it'));
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Nothing may be added from here on. Returns when what is running is done. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#last;
  }
}

/** Several statements in one text (a migration) have a result each. */
function lastRows<R extends object>(result: pg.QueryResult<R> | pg.QueryResult<R>[]): R[] {
  return (Array.isArray(result) ? result.at(-1)! : result).rows;
}

/**
 * Runs `work` in a transaction, again where a conflict (40001, 40P01) or a lost connection undid it, so `work` must do nothing
 * that a rollback does not undo. Throws `RecordUnknownOutcome` when the connection was lost at COMMIT.
 */
export async function runTransaction<T>(
  connections: Connections,
  work: (tx: RecordTransaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<Written<T>> {
  for (let tries = 1; ; tries++) {
    try {
      return await connections.use((client) => attempt(client, work, options));
    } catch (error) {
      const lost = error instanceof ConnectionLost;
      if (!lost && !isConflict(error)) throw error;
      if (tries === TRIES) throw lost ? new RecordUnavailable(error) : new RecordBusy('conflicting writes', error);
      await sleep(Math.random() * 2 ** tries);
    }
  }
}

async function attempt<T>(
  client: pg.PoolClient,
  work: (tx: RecordTransaction) => Promise<T>,
  options: TransactionOptions,
): Promise<Written<T>> {
  const tx = new OpenTransaction(client);
  await send(client, { text: beginStatement(options) });
  try {
    const value = await work(tx);
    await tx.end();
    return { value, receipt: { xid: await commit(client) } };
  } catch (error) {
    await tx.end();
    if (client.getTransactionStatus() !== 'I') await rollback(client);
    throw error;
  }
}

function beginStatement({ isolation, readOnly }: TransactionOptions): string {
  const level = isolation ? ` isolation level ${isolation}` : '';
  return `begin${level}${readOnly ? ' read only' : ''}`;
}

/** The transaction id in the same round trip: asking in an aborted transaction fails, where COMMIT alone would quietly roll back. */
async function commit(client: pg.PoolClient): Promise<bigint | null> {
  try {
    const results = await send(client, { text: 'select pg_current_xact_id_if_assigned()::text as xid; commit' });
    const [{ rows }] = results as unknown as [pg.QueryResult<{ xid: string | null }>];
    const xid = rows[0]?.xid;
    return xid ? BigInt(xid) : null;
  } catch (error) {
    if (error instanceof ConnectionLost && !error.unsent) throw new RecordUnknownOutcome(error);
    throw error;
  }
}

/** A connection that cannot even roll back is not used again, and the server rolls back by itself. */
async function rollback(client: pg.PoolClient): Promise<void> {
  await client.query('rollback').catch(() => {});
}
