import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../changes/position.ts';
import { parseSnapshot } from '../changes/visibility.ts';
import type { PgRecord, RecordReader } from '../record/record.ts';
import type { ViewDefinition, ViewQuery } from '../views/view.ts';
import { PositionAhead, PositionTimeout } from './errors.ts';
import type { Watermark } from './watermark.ts';

/** How long a read looks for a snapshot that holds all it must. Commits are invisible for microseconds, or while a standby is waited for. */
const SETTLE_MS = 1000;

export interface RecordRead {
  readonly record: PgRecord;
  readonly watermark: Watermark;
  readonly definition: ViewDefinition<never>;
  readonly queries: readonly ViewQuery<unknown>[];
  readonly minPosition?: Position;
}

/**
 * Answers a view's queries from the record, in one snapshot, and says up to which position the answer is complete: claimed is
 * only what is visible in that snapshot (CORRECTNESS 11), otherwise it reads again.
 */
export async function readFromRecord(read: RecordRead): Promise<{ results: unknown[]; position: Position }> {
  const { watermark, minPosition } = read;
  const mustSee = minPosition ? await openAt(read, minPosition) : [];
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const mark = watermark.mark();
    const { snapshot, results } = await readOnce(read);
    const { xmax, running } = parseSnapshot(snapshot);
    const hidden = mustSee.some((xid) => ((xid - xmax) | 0) >= 0 || running.includes(xid));
    if (watermark.visibleIn(snapshot, mark) && !hidden) {
      const position = minPosition && minPosition.lsn > mark.position.lsn ? minPosition : mark.position;
      return { results, position };
    }
    if (performance.now() > deadline) throw new PositionTimeout();
    await sleep(1);
  }
}

async function readOnce(read: RecordRead): Promise<{ snapshot: string; results: unknown[] }> {
  const { value } = await read.record.transaction(
    async (tx) => {
      const snapshot = await currentSnapshot(tx);
      return { snapshot, results: await read.definition.answerFromRecord(tx, read.queries as readonly never[]) };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  return value;
}

/**
 * Each holds its lock until it is visible; a snapshot does not name those that came after the newest one it sees, which may
 * have committed all the same.
 */
const OPEN = `select transactionid::text::bigint as xid from pg_catalog.pg_locks
  where locktype = 'transactionid' and mode = 'ExclusiveLock'`;

/** The transactions that were open when the log had `position`: each may have committed before it without being visible yet. */
async function openAt(read: RecordRead, position: Position): Promise<number[]> {
  if (position.lsn <= read.watermark.position.lsn) return [];
  if (position.lsn > (await read.record.flushedLsn())) throw new PositionAhead();
  return openTransactions(read.record);
}

/** Those that have not ended, or are not visible yet though the log has their commit. 32-bit ids. */
export async function openTransactions(reader: RecordReader): Promise<number[]> {
  return (await reader.query<{ xid: number }>(OPEN)).map(({ xid }) => xid);
}

/** What is visible to SQL now, as `pg_current_snapshot()` gives it. */
export async function currentSnapshot(reader: RecordReader): Promise<string> {
  const [now] = await reader.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  return now!.snapshot;
}
