import type { FeedSession } from '../../changes/feed.ts';
import { quoteTable } from '../../record/copy.ts';
import type { RecordTransaction } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import { goneRow, keyName, projectRow } from '../../views/projection/pending.ts';
import type { ProjectedTable } from '../../views/projection/projection.ts';
import { type Fragment, keyArray, seenKeys } from '../../views/projection/sql.ts';
import type { Progress } from '../live.ts';
import { type Letter, writeLetters } from './letters.ts';
import type { ProjectionPosition, ProjectionTarget } from './target.ts';
import { writeRows } from './write.ts';

export interface ReconcileOptions {
  readonly session: FeedSession;
  readonly target: ProjectionTarget;
  /** This process's, from `takeOver`. */
  readonly position: ProjectionPosition;
  readonly fingerprint: string;
  readonly progress?: Progress;
}

/**
 * Brings the target in line with a session's snapshot, row by row on the unique key: what differs is written, what the record
 * has not is deleted, and what others add to the rows stays (CORRECTNESS 18). In many short transactions, since each row is
 * right by itself; while it lasts the position is unset, so that a crash starts it over.
 */
export async function reconcile(options: ReconcileOptions): Promise<ProjectionPosition> {
  const { session, target, fingerprint } = options;
  const position = await begin(target, options.position);
  const letters: Letter[] = [];
  await readTables(options, async (table, rows) => {
    letters.push(...(await writeBlock(target, position, table, rows)));
  });
  return finish(target, position, letters, { ...position, epoch: session.epoch, lsn: session.start, fingerprint });
}

async function begin(target: ProjectionTarget, was: ProjectionPosition): Promise<ProjectionPosition> {
  return inTransaction(target, was, async (tx) => {
    await tx.query('delete from lockstep.projection_seen where projection = $1', [target.name]);
    return target.move(tx, { ...was, epoch: null, lsn: null });
  });
}

async function readTables(
  { session, target, progress }: ReconcileOptions,
  write: (table: ProjectedTable, rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  const { tables } = target.definition;
  const snapshot = session.snapshot!;
  const estimates = await Promise.all(tables.map(({ source }) => snapshot.estimate(source)));
  const of = estimates.reduce((sum, rows) => sum + rows, 0);
  let done = 0;
  for (const table of tables) {
    await snapshot.read({ table: table.source }, async (rows) => {
      await write(table, rows);
      done += rows.length;
      progress?.(done, Math.max(done, of));
    });
  }
}

async function writeBlock(
  target: ProjectionTarget,
  position: ProjectionPosition,
  table: ProjectedTable,
  rows: readonly Row[],
): Promise<Letter[]> {
  const projected = rows.map((row) => projectRow(table, row));
  const wanted = projected.filter(({ values, fault }) => values !== null || fault !== null);
  if (wanted.length === 0) return [];
  return inTransaction(target, position, (tx) =>
    writeRows(tx, table, wanted, (part) =>
      seen(
        target.name,
        position.leader,
        table,
        part.map(({ key }) => key),
      ),
    ),
  );
}

function seen(
  projection: string,
  leader: number,
  table: ProjectedTable,
  keys: readonly (readonly string[])[],
): Fragment {
  const { sql, values } = seenKeys(table, keys);
  return {
    sql: (first) => `insert into lockstep.projection_seen (projection, leader, target, key)
      select $${first}, $${first + 1}::bigint, $${first + 2}, key from (${sql(first + 3)}) as seen`,
    values: [projection, String(leader), table.target, ...values],
  };
}

/** Deletes what the record has not, replaces the dead letters, and sets the position. */
async function finish(
  target: ProjectionTarget,
  position: ProjectionPosition,
  letters: readonly Letter[],
  to: ProjectionPosition,
): Promise<ProjectionPosition> {
  return inTransaction(target, position, async (tx) => {
    const all = [...letters];
    for (const table of target.definition.tables.toReversed()) {
      const kept = letters.filter((letter) => letter.target === table.target).map(({ row }) => keyName(row.key));
      all.push(...(await removeGhosts(tx, target, position, table, new Set(kept))));
    }
    await tx.query('delete from lockstep.projection_seen where projection = $1', [target.name]);
    await tx.query('delete from lockstep.dead_letters where projection = $1', [target.name]);
    await writeLetters(tx, target.name, all);
    return target.move(tx, { ...to, letters: position.letters + 1 });
  });
}

async function removeGhosts(
  tx: RecordTransaction,
  { name }: ProjectionTarget,
  { leader }: ProjectionPosition,
  table: ProjectedTable,
  kept: ReadonlySet<string>,
): Promise<Letter[]> {
  const ghosts = await tx.query<{ key: string }>(
    `select to_json(${keyArray(table)})::text as key from ${quoteTable(table.target)} t where not exists (
       select from lockstep.projection_seen s
        where s.projection = $1 and s.leader = $2 and s.target = $3 and s.key = ${keyArray(table)})`,
    [name, leader, table.target],
  );
  const keys = ghosts.map(({ key }) => JSON.parse(key) as string[]).filter((key) => !kept.has(keyName(key)));
  return writeRows(tx, table, keys.map(goneRow));
}

async function inTransaction<T>(
  target: ProjectionTarget,
  position: ProjectionPosition,
  work: (tx: RecordTransaction) => Promise<T>,
): Promise<T> {
  const record = await target.record();
  const { value } = await record.transaction(async (tx) => {
    await target.lock(tx, position);
    return work(tx);
  });
  return value;
}
