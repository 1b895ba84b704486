import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../changes/position.ts';
import { parseSnapshot } from '../changes/visibility.ts';
import type { PgRecord, RecordReader } from '../record/record.ts';
import type { ViewDefinition, ViewQuery } from '../views/view.ts';
import { PositionAhead, PositionOfAnotherEpoch, PositionTimeout } from './errors.ts';
import type { Watermark } from './watermark.ts';

/** How long a read looks for a snapshot that holds all it must. Commits are invisible for microseconds, or while a standby is waited for. */
const SETTLE_MS = 1000;

interface Look {
  readonly record: PgRecord;
  readonly watermark: Watermark;
  /** Must be seen. */
  readonly minPosition?: Position;
}

export interface RecordRead extends Look {
  readonly definition: ViewDefinition<never>;
  readonly queries: readonly ViewQuery<unknown>[];
}

/**
 * Answers a view's queries from the record, in one snapshot, and says up to which position the answer is complete: claimed is
 * only what is visible in that snapshot (CORRECTNESS 11), otherwise it reads again.
 */
export async function readFromRecord(read: RecordRead): Promise<{ results: unknown[]; position: Position }> {
  const { seen, position } = await lookUntilShown(read, () => readOnce(read));
  return { results: seen.results, position };
}

/**
 * Waits until SQL shows everything up to `position`, for who then reads with SQL of his own. Throws `PositionOfAnotherEpoch`,
 * `PositionAhead`, `PositionTimeout`.
 */
export async function untilShown({ record, watermark }: Look, position: Position): Promise<void> {
  if (position.epoch !== watermark.position.epoch) throw new PositionOfAnotherEpoch();
  await lookUntilShown({ record, watermark, minPosition: position }, async () => ({
    snapshot: await currentSnapshot(record),
  }));
}

/** Looks again until the snapshot of what was seen has what it must; says up to which position it is complete. */
async function lookUntilShown<Seen extends { readonly snapshot: string }>(
  look: Look,
  once: () => Promise<Seen>,
): Promise<{ seen: Seen; position: Position }> {
  const { watermark, minPosition } = look;
  const mustSee = minPosition ? await openAt(look, minPosition) : [];
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const mark = watermark.mark();
    const seen = await once();
    const { xmax, running } = parseSnapshot(seen.snapshot);
    const hidden = mustSee.some((xid) => ((xid - xmax) | 0) >= 0 || running.includes(xid));
    if (watermark.visibleIn(seen.snapshot, mark) && !hidden) {
      const position = minPosition && minPosition.lsn > mark.position.lsn ? minPosition : mark.position;
      return { seen, position };
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
async function openAt({ record, watermark }: Look, position: Position): Promise<number[]> {
  if (position.lsn <= watermark.position.lsn) return [];
  if (position.lsn > (await record.flushedLsn())) throw new PositionAhead();
  return openTransactions(record);
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
