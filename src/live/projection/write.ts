import { isFaultOfARow, runBisecting } from '../../record/coalesce/bisect.ts';
import type { RecordTransaction } from '../../record/record.ts';
import type { PendingRow } from '../../views/projection/pending.ts';
import type { ProjectedTable } from '../../views/projection/projection.ts';
import { type Fragment, remove, upsert } from '../../views/projection/sql.ts';
import type { Letter } from './letters.ts';

/** Rows in one statement. */
const MAX_ROWS = 5000;

/**
 * Writes rows to one table of the target within a transaction, each part under a savepoint, so that a row that the target
 * refuses (a foreign key, a value out of range) becomes a letter and the others are written.
 */
export async function writeRows(
  tx: RecordTransaction,
  table: ProjectedTable,
  rows: readonly PendingRow[],
  also?: (part: readonly PendingRow[]) => Fragment | undefined,
): Promise<Letter[]> {
  const letters: Letter[] = faulty(table, rows);
  const sound = rows.filter(({ fault }) => fault === null);
  const put = sound.filter(({ values }) => values !== null);
  const gone = sound.filter(({ values }) => values === null);
  const write = (fragments: readonly (Fragment | undefined)[]) =>
    underSavepoint(tx, async () => {
      for (const fragment of fragments) if (fragment) await tx.query(fragment.sql(1), fragment.values);
    });
  const refuse = (part: readonly PendingRow[], error: unknown) => {
    if (part.length > 1 || !isFaultOfARow(error)) throw error;
    letters.push({ target: table.target, row: part[0]!, reason: (error as Error).message });
  };
  const keys = (part: readonly PendingRow[]) => part.map(({ key }) => key);
  for (const part of parts(gone)) await bisecting(part, (some) => write([remove(table, keys(some))]), refuse);
  for (const part of parts(put)) await bisecting(part, (some) => write([upsert(table, some), also?.(some)]), refuse);
  return letters;
}

function faulty(table: ProjectedTable, rows: readonly PendingRow[]): Letter[] {
  return rows.flatMap((row) => (row.fault === null ? [] : [{ target: table.target, row, reason: row.fault }]));
}

function parts(rows: readonly PendingRow[]): (readonly PendingRow[])[] {
  const count = Math.ceil(rows.length / MAX_ROWS);
  return Array.from({ length: count }, (_, i) => rows.slice(i * MAX_ROWS, (i + 1) * MAX_ROWS));
}

/** As `runBisecting`; what is no fault of a row ends it. */
export async function bisecting(
  rows: readonly PendingRow[],
  run: (rows: readonly PendingRow[]) => Promise<void>,
  refuse: (rows: readonly PendingRow[], error: unknown) => void,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  await runBisecting(rows, run, (failed, error) => {
    try {
      refuse(failed, error);
    } catch (thrown) {
      failure ??= { error: thrown };
    }
  });
  if (failure) throw failure.error;
}

export async function underSavepoint<T>(tx: RecordTransaction, work: () => Promise<T>): Promise<T> {
  await tx.query('savepoint part');
  try {
    const value = await work();
    await tx.query('release savepoint part');
    return value;
  } catch (error) {
    await tx.query('rollback to savepoint part');
    throw error;
  }
}
