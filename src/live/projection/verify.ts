import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedHandler, FeedSession } from '../../changes/feed.ts';
import { formatPosition } from '../../changes/position.ts';
import type { RecordTransaction } from '../../record/record.ts';
import { type PendingTable, projectRow } from '../../views/projection/pending.ts';
import type { Progress, VerifyReport } from '../live.ts';
import { Comparison } from './comparison.ts';
import { Intake } from './intake.ts';
import { heldKeys } from './letters.ts';
import type { ProjectionTarget } from './target.ts';

/** How often the record is asked for a sign of life while the changes up to the target's position are awaited. */
const POKE_MS = 10;
const EXAMPLES = 100;
/** Looks at what differs, at most. */
const ROUNDS = 5;

export interface VerifyOptions {
  readonly target: ProjectionTarget;
  /** A session with a temporary slot of its own and its snapshot. */
  open(): Promise<FeedSession>;
  /** Resolves when the target's position is `lsn` or after it. */
  reach(lsn: number): Promise<void>;
  /** A number that stays the same while the target is exactly what its position says; null while it is not. */
  settled(): number | null;
  /** Rows that the target was given as they were later than its position, since the log did not carry all of them; counted. */
  readAhead(): number;
  /** Of waiting (`performance.now()`). */
  readonly deadline: number;
  readonly progress?: Progress;
}

/**
 * Compares a projection's target with what the record makes of it, both at one position, and stops nothing (CORRECTNESS 13): the
 * record in a snapshot at C, the target in a snapshot at its position P, at or after C; then the keys that were touched
 * between the two, as the log has them at P, are compared again. Keys of dead letters are not expected to agree. Where the
 * target may be ahead of its position, what differs is looked at again later: a fault stays.
 */
export async function verifyProjection(options: VerifyOptions): Promise<VerifyReport> {
  const started = performance.now();
  let compared: number | undefined;
  let only: ReadonlySet<string> | undefined;
  for (let round = 1; ; round++) {
    const before = options.readAhead();
    const { position, comparison } = await compareOnce(options, only);
    compared ??= comparison.compared;
    only = new Set(comparison.drift.keys());
    if (only.size > 0 && options.readAhead() !== before && round < ROUNDS) continue;
    const examples = [...comparison.drift.values()].slice(0, EXAMPLES);
    const seconds = (performance.now() - started) / 1000;
    return { view: options.target.name, position, compared, drift: only.size, examples, seconds };
  }
}

interface Compared {
  readonly position: string;
  readonly comparison: Comparison;
}

/** `only`: the keys that matter; all unless told. */
async function compareOnce(options: VerifyOptions, only: ReadonlySet<string> | undefined): Promise<Compared> {
  const session = await options.open();
  try {
    await options.reach(session.start);
    for (;;) {
      const compared = await attempt(options, session, only);
      if (compared) return compared;
      if (performance.now() > options.deadline) throw new Error('the target was never at rest; verify it again');
      await sleep(POKE_MS);
    }
  } finally {
    await session.close();
  }
}

/** Undefined where the target holds a part of a large transaction that its position does not tell of. */
async function attempt(
  options: VerifyOptions,
  session: FeedSession,
  only: ReadonlySet<string> | undefined,
): Promise<Compared | undefined> {
  const { target, settled } = options;
  const record = await target.record();
  const before = settled();
  const work = async (tx: RecordTransaction): Promise<Compared | undefined> => {
    const { epoch, lsn } = await target.positionIn(tx);
    if (before === null || settled() !== before) return undefined;
    if (epoch !== session.epoch || lsn === null || lsn < session.start)
      throw new Error('the target was rebuilt; verify it again');
    const comparison = new Comparison({ tx, held: await heldKeys(tx, target.name), ...(only && { only }) });
    await compareSnapshot(comparison, options, session);
    await comparison.findGhosts(target.definition.tables);
    await compareTouched(comparison, target, await changesUntil(session, target, lsn));
    return { position: formatPosition({ epoch, lsn }), comparison };
  };
  return (await record.transaction(work, { isolation: 'repeatable read' })).value;
}

async function compareSnapshot(
  comparison: Comparison,
  { target, progress }: VerifyOptions,
  session: FeedSession,
): Promise<void> {
  const { tables } = target.definition;
  const snapshot = session.snapshot!;
  const estimates = await Promise.all(tables.map(({ source }) => snapshot.estimate(source)));
  const of = estimates.reduce((sum, rows) => sum + rows, 0);
  let done = 0;
  await comparison.begin();
  for (const table of tables) {
    await snapshot.read({ table: table.source }, async (rows) => {
      const projected = rows.map((row) => projectRow(table, row));
      await comparison.rows(
        table,
        projected.filter(({ values, fault }) => values !== null || fault !== null),
      );
      done += rows.length;
      progress?.(done, Math.max(done, of));
    });
  }
}

async function compareTouched(
  comparison: Comparison,
  { definition }: ProjectionTarget,
  touched: readonly PendingTable[],
): Promise<void> {
  for (const [i, { rows, truncated }] of touched.entries()) {
    if (truncated) throw new Error(`${definition.tables[i]!.source} was emptied meanwhile; verify it again`);
    await comparison.again(definition.tables[i]!, [...rows.values()]);
  }
}

/** What the transactions after the session's snapshot, up to `until`, make of the target's rows. */
async function changesUntil(
  session: FeedSession,
  { definition }: ProjectionTarget,
  until: number,
): Promise<readonly PendingTable[]> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const intake = new Intake({ definition, lsn: session.start, held: new Set(), wake() {}, ended: reject });
  const started = session.stream(session.start, bounded(intake, until, resolve));
  const poking = setInterval(() => session.poke(), POKE_MS);
  try {
    await Promise.all([started, promise]);
  } finally {
    clearInterval(poking);
  }
  return intake.take().tables;
}

/** Hands on what ends at or before `until`, then calls `reached` and nothing more. */
function bounded(intake: Intake, until: number, reached: () => void): FeedHandler {
  let over = intake.lsn >= until;
  if (over) reached();
  const end = () => {
    over = true;
    reached();
  };
  const step = (within: boolean, work: () => void) => {
    if (over) return;
    if (within) work();
    if (!within || intake.lsn >= until) end();
  };
  return {
    transaction: (transaction) => step(transaction.lsn <= until, () => intake.transaction(transaction)),
    largeBegin: (xid, commitLsn) => step(commitLsn < until, () => intake.largeBegin(xid)),
    largeSlice: (changes) => step(true, () => intake.largeSlice(changes)),
    largeEnd: (transaction) => step(true, () => intake.largeEnd(transaction)),
    progress: (lsn) => step(lsn < until, () => intake.progress(lsn)),
    schemaChanged: (detail) => intake.schemaChanged(detail),
    ended: (error) => intake.ended(error),
  };
}
