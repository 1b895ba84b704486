import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedSession } from '../changes/feed.ts';
import { ensurePublication } from '../changes/publication.ts';
import { type EmbeddedPostgres, startEmbedded } from '../record/embedded.ts';
import { silent } from '../record/log.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord, RecordReader } from '../record/record.ts';
import { FeedRecorder, openTestFeed, openWriter, type Writer } from '../testing/feed-recorder.ts';
import type { ViewDefinition } from '../views/view.ts';
import { PositionTimeout } from './errors.ts';
import { readFromRecord, untilShown } from './record-read.ts';
import { Watermark } from './watermark.ts';

// A server of the file's own: its commits are made to wait for a standby that never comes, which is how they stay in the log
// and out of sight for as long as the test likes.

let directory: string;
let server: EmbeddedPostgres;
let record: PgRecord;
let writer: Writer;
let session: FeedSession;
let watermark: Watermark;
let recorder: FeedRecorder;
const definition = {
  answerFromRecord: async (reader: RecordReader) => [
    (await reader.query<{ id: number }>('select id from t order by id')).map(({ id }) => id),
  ],
} as unknown as ViewDefinition<never>;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-test-'));
  server = await startEmbedded({ dataDir: directory, log: silent });
  record = await openRecord({ url: server.url, log: silent });
  const database = { url: server.url, record, close: async () => {} };
  await record.query('create table t (id int primary key)');
  await ensurePublication(record, 'lockstep', ['public.t']);
  writer = await openWriter(database);
  session = await openTestFeed(database, { sources: [{ table: 'public.t' }] });
  watermark = new Watermark({ flushedLsn: () => record.flushedLsn(), poke: () => session.poke() });
  watermark.restart({ epoch: session.epoch, lsn: session.start });
  recorder = new FeedRecorder();
  recorder.onStep = ({ transactions }) => {
    const last = transactions.at(-1);
    if (last && last.lsn > watermark.position.lsn) watermark.transaction(last.xid, last.lsn);
  };
  await session.stream(session.start, recorder);
});

after(async () => {
  watermark?.close();
  await session?.close();
  await writer?.close();
  await record?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** `'nobody'`: commits reach the log and stay invisible; `''`: they are let go. */
async function standbys(names: string): Promise<void> {
  await record.query(`alter system set synchronous_standby_names = '${names}'`);
  await record.query('select pg_reload_conf()');
}

const waiting = async () =>
  (await record.query(`select from pg_stat_activity where wait_event = 'SyncRep'`)).length > 0;

/** Inserts rows until the commit of one is in the log and not to be seen; returns its id, and when it is visible. */
async function hiddenInsert(first: number): Promise<{ id: number; visible: Promise<unknown> }> {
  await standbys('nobody');
  for (let id = first; ; id++) {
    let done = false;
    const visible = writer.sql(`insert into t values (${id})`).finally(() => {
      done = true;
    });
    while (!done) {
      if (await waiting()) return { id, visible };
      await sleep(1);
    }
  }
}

const read = (by: Watermark, lsn?: number) =>
  readFromRecord({
    record,
    watermark: by,
    definition,
    queries: [{}],
    ...(lsn && { minPosition: { epoch: session.epoch, lsn } }),
  });

test('[SPEC 5] [rule 11] what the log has shown and SQL does not show yet is never claimed', async () => {
  const { id, visible } = await hiddenInsert(1);
  await recorder.until(({ changes }) => changes.some(({ after }) => after?.id === id));
  await assert.rejects(
    read(watermark),
    PositionTimeout,
    'the position of that insert is applied, its row is not to be had',
  );
  await standbys('');
  await visible;
  const { results, position } = await read(watermark);
  assert.ok((results[0] as number[]).includes(id));
  assert.ok(position.lsn >= recorder.transactions.at(-1)!.lsn);
});

test('[SPEC 4] [rule 11] nor what the log has up to the position asked for, where nobody follows it', async () => {
  const { id, visible } = await hiddenInsert(1000);
  const unfed = new Watermark({ flushedLsn: () => record.flushedLsn(), poke: () => {} });
  unfed.restart({ epoch: session.epoch, lsn: session.start });
  const end = await record.flushedLsn();
  await assert.rejects(read(unfed, end), PositionTimeout);
  const wait = () => untilShown({ record, watermark: unfed }, { epoch: session.epoch, lsn: end });
  await assert.rejects(wait(), PositionTimeout);
  const shown = wait();
  await standbys('');
  await Promise.all([visible, shown]);
  const { results, position } = await read(unfed, end);
  assert.ok((results[0] as number[]).includes(id));
  assert.equal(position.lsn, end);
});
