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

/** A snapshot in which everything is visible. */
const SNAPSHOT = '1000000:1000000:';

/** The rows as the record has them. */
export const expected = (log: FakeLog) =>
  [...log.rows].sort(([a], [b]) => a - b).map(([id, value]) => `${id}=${value}`);

/** A follower of a fake log with views of all its rows, one unless told; nothing is delivered before `step`. */
export function following(log: FakeLog, options: Partial<FollowerOptions> & { count?: number; waitMs?: number } = {}) {
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
    truncated: () => {},
    flushedLsn,
    clock: () => 0,
    ...options,
  });
  return { follower, watermark, topics, views, view: views[0]! };
}

/** As much of a record as answering a view's queries from it takes. */
function fakeRecord(log: FakeLog): PgRecord {
  const query = async () => [{ snapshot: SNAPSHOT }];
  const transaction = async (work: (tx: RecordReader) => Promise<unknown>) => ({
    value: await work({ query } as unknown as RecordReader),
    receipt: { xid: null },
  });
  return { query, transaction, flushedLsn: async () => log.lsn } as unknown as PgRecord;
}

/** Delivers until nothing is left and the views have everything. */
export async function settle(log: FakeLog, watermark: Watermark): Promise<void> {
  while (watermark.position.lsn < log.lsn) {
    for (const session of log.sessions) {
      session.poke();
      while (session.step());
    }
    await nextTurn();
  }
}

/** Keeps delivering until `work` is done. */
export async function pumpUntil<T>(log: FakeLog, work: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  while (!done) {
    for (const session of log.sessions) {
      session.poke();
      session.step();
    }
    await nextTurn();
  }
  return work;
}
