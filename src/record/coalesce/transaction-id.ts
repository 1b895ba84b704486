import type pg from 'pg';
import type { Row, Value } from '../value.ts';

const COLUMN = 'lockstep_xid';

/**
 * `sql` returning the id of its transaction beside each row, unless it does so itself. A data-modifying WITH must stay at the top level, so a statement
 * that begins with one asks for the column `lockstep_xid` itself.
 */
export function withTransactionId(sql: string): string {
  if (sql.includes(COLUMN)) return sql;
  if (!/^\s*with\b/i.test(sql)) {
    return `with written as (${sql}) select written.*, pg_current_xact_id()::text as ${COLUMN} from written`;
  }
  throw new Error(
    `a coalesced write that begins with WITH must return pg_current_xact_id()::text as ${COLUMN}: ${sql}`,
  );
}

/** The rows of a result in array mode, without that column, and the id. */
export function takeTransactionId(result: pg.QueryResult): { rows: Row[]; xid: bigint | null } {
  const names = result.fields.map(({ name }) => name);
  const column = names.lastIndexOf(COLUMN);
  const arrays = result.rows as unknown as Value[][];
  const rows = arrays.map((values) => {
    const row: Record<string, Value> = {};
    for (let i = 0; i < names.length; i++) if (i !== column) row[names[i]!] = values[i];
    return row;
  });
  return { rows, xid: arrays.length > 0 ? BigInt(arrays[0]![column] as string) : null };
}
