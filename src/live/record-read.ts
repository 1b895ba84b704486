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
  const mustSee = minPosition ? await runningAt(read, minPosition) : new Set<number>();
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const mark = watermark.mark();
    const { snapshot, results } = await readOnce(read);
    const { running } = parseSnapshot(snapshot);
    if (watermark.visibleIn(snapshot, mark) && !running.some((xid) => mustSee.has(xid))) {
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

/** The transactions that were running when the log had `position`: each may have committed before it without being visible yet. */
async function runningAt(read: RecordRead, position: Position): Promise<Set<number>> {
  if (position.lsn <= read.watermark.position.lsn) return new Set();
  if (position.lsn > (await read.record.flushedLsn())) throw new PositionAhead();
  return new Set(parseSnapshot(await currentSnapshot(read.record)).running);
}

/** What is visible to SQL now, as `pg_current_snapshot()` gives it. */
export async function currentSnapshot(reader: RecordReader): Promise<string> {
  const [now] = await reader.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  return now!.snapshot;
}
