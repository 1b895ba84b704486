import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pino from 'pino';
import { Follower, type FollowerOptions } from '../live/follower.ts';
import { ServedView } from '../live/served-view.ts';
import { TopicHub } from '../live/topic-hub.ts';
import { Watermark } from '../live/watermark.ts';
import type { PgRecord, RecordReader } from '../record/record.ts';
import type { FakeLog } from './fake-feed.ts';
import { type AllRows, fakeView } from './fake-view.ts';

export const ALL: AllRows = { ask: 'all' };

/** How long a test waits for what must come (milliseconds). */
const PATIENCE = 20_000;
/** A snapshot in which everything is visible. */
const SNAPSHOT = '1000000:1000000:';

/** The rows as the record has them. */
export const expected = (log: FakeLog) =>
  [...log.rows].sort(([a], [b]) => a - b).map(([id, value]) => `${id}=${value}`);

/** A follower of a fake log with views of all its rows, one unless told; nothing is delivered before `step`. Stopped with the test. */
export function following(
  t: Pick<TestContext, 'after'>,
  log: FakeLog,
  options: Partial<FollowerOptions> & { count?: number; waitMs?: number } = {},
) {
  const flushedLsn = async () => log.lsn;
  const watermark: Watermark = new Watermark({ flushedLsn, poke: () => follower.poke() });
  const topics = new TopicHub({ position: () => watermark.position });
  const views = Array.from(
    { length: options.count ?? 1 },
    (_, i) =>
      new ServedView({
        service: 'test',
        name: `rows${i}`,
        definition: fakeView(() => expected(log)),
        record: fakeRecord(log),
        watermark,
        waitMs: options.waitMs ?? 1000,
        recordEnd: () => follower.recordEnd,
        rebuild: (served, progress) => follower.rebuild(served, progress),
        verify: (served, progress) => follower.verify(served, progress),
      }),
  );
  const follower: Follower = new Follower({
    views,
    watermark,
    topics,
    log: pino({ level: 'silent' }),
    open: async () => log.open(),
    lacking: () => null,
    checkSchema: async () => {},
    currentSnapshot: async () => SNAPSHOT,
    openTransactions: async () => [],
    truncated: () => {},
    flushedLsn,
    clock: () => 0,
    ...options,
  });
  t.after(() => follower.stop());
  return { follower, watermark, topics, views, view: views[0]! };
}

/** As much of a record as answering a view's queries from it takes; no other transaction is open. */
function fakeRecord(log: FakeLog): PgRecord {
  const query = async (sql: string) => (sql.includes('pg_current_snapshot') ? [{ snapshot: SNAPSHOT }] : []);
  const transaction = async (work: (tx: RecordReader) => Promise<unknown>) => ({
    value: await work({ query } as unknown as RecordReader),
    receipt: { xid: null },
  });
  return { query, transaction, flushedLsn: async () => log.lsn } as unknown as PgRecord;
}

/** Takes turns of the event loop, and does `step` in each, until the condition holds. */
export async function until(what: string, condition: () => boolean, step = () => {}): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; !condition(); await nextTurn()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    step();
  }
}

/** Delivers until nothing is left and the views have everything. */
export function settle(log: FakeLog, watermark: Watermark): Promise<void> {
  return until(
    'all is applied',
    () => watermark.position.lsn >= log.lsn,
    () => {
      for (const session of log.sessions) {
        session.poke();
        while (session.step());
      }
    },
  );
}

/** Keeps delivering until `work` is done. */
export async function pumpUntil<T>(log: FakeLog, work: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  await until(
    'the work is done',
    () => done,
    () => {
      for (const session of log.sessions) {
        session.poke();
        session.step();
      }
    },
  );
  return work;
}
