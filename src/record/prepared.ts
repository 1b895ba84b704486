import { statement } from './coalesce/statement.ts';
import { type Connections, STALE_PLAN, send } from './connections.ts';
import { ConnectionLost, RecordUnavailable, sqlState } from './failures.ts';
import type { Row } from './value.ts';

/** Tries of a read whose connection was lost, or whose plan DDL has changed. */
const TRIES = 5;

/** See `PgRecord.prepare`. */
export function prepared(connections: Connections, sql: string): (parameters: readonly unknown[]) => Promise<Row[]> {
  const named = statement(sql, []);
  return async (parameters) => {
    for (let tries = 1; ; tries++) {
      try {
        return (await connections.use((client) => send<Row>(client, { ...named, values: [...parameters] }))).rows;
      } catch (error) {
        const again = error instanceof ConnectionLost || sqlState(error) === STALE_PLAN;
        if (!again) throw error;
        if (tries === TRIES) throw error instanceof ConnectionLost ? new RecordUnavailable(error) : error;
      }
    }
  };
}
