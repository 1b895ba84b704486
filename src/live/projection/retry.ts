import type { RecordTransaction } from '../../record/record.ts';
import { goneRow, projectRow } from '../../views/projection/pending.ts';
import type { ProjectedTable } from '../../views/projection/projection.ts';
import { decodeRow } from './letters.ts';
import type { ProjectionPosition, ProjectionTarget } from './target.ts';
import { writeRows } from './write.ts';

/** What became of the dead letters. */
export interface RetryReport {
  readonly projected: number;
  /** Still dead letters, with the reason of now. */
  readonly failed: number;
}

interface DeadLetter {
  readonly target: string;
  readonly key: string;
  readonly source: string | null;
}

/**
 * Tries each dead letter again, with its source row as it is by now. Holds the position meanwhile, so that whoever follows the
 * projection waits and then knows which keys are free.
 */
export async function retryDeadLetters(target: ProjectionTarget): Promise<RetryReport> {
  const record = await target.record();
  const { value } = await record.transaction(async (tx) => {
    const [position] = await tx.query<ProjectionPosition>(
      'select * from lockstep.projections where name = $1 for update',
      [target.name],
    );
    const report = { projected: 0, failed: 0 };
    if (!position) return report;
    for (const table of target.definition.tables) await retryTable(tx, target.name, table, report);
    await target.move(tx, { ...position, letters: position.letters + 1 });
    return report;
  });
  return value;
}

async function retryTable(
  tx: RecordTransaction,
  projection: string,
  table: ProjectedTable,
  report: { projected: number; failed: number },
): Promise<void> {
  const letters = await tx.query<DeadLetter>(
    'select target, key, source::text from lockstep.dead_letters where projection = $1 and target = $2 order by first_at',
    [projection, table.target],
  );
  for (const letter of letters) {
    const [refused] = await writeRows(tx, table, [pendingOf(table, letter)]);
    if (refused) report.failed++;
    else report.projected++;
    const sql = refused ? FAILED : PROJECTED;
    await tx.query(sql, [projection, letter.target, letter.key, ...(refused ? [refused.reason] : [])]);
  }
}

function pendingOf(table: ProjectedTable, { key, source }: DeadLetter) {
  if (source !== null) return projectRow(table, decodeRow(source));
  return goneRow(JSON.parse(key) as string[]);
}

const PROJECTED = 'delete from lockstep.dead_letters where projection = $1 and target = $2 and key = $3';
const FAILED = `update lockstep.dead_letters set attempts = attempts + 1, last_at = now(), reason = $4
  where projection = $1 and target = $2 and key = $3`;
