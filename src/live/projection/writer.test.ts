import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Table } from '../../changes/change.ts';
import type { FeedHandler, FeedSession } from '../../changes/feed.ts';
import type { PendingTable } from '../../views/projection/pending.ts';
import { projection } from '../../views/projection/projection.ts';
import type { ProjectionTarget } from './target.ts';
import { Writer } from './writer.ts';

const SOURCE: Table = { oid: 1, name: 's.source', columns: [], key: ['id'], full: false };
const definition = projection({
  schema: 's',
  migrations: new URL('./migrations/', import.meta.url),
  tables: [
    {
      source: SOURCE.name,
      target: 's.target',
      key: { id: 'integer' },
      columns: { value: 'integer' },
      keyOf: ({ id }) => ({ id: id as number }),
      rowOf: ({ value }) => ({ value: value as number }),
    },
  ],
});

/** A writer on a stream that is told what to say, and a target that answers each batch with the next of `logs`. */
function writer(logs: (number | null)[]) {
  const acknowledged: number[] = [];
  const written: number[] = [];
  let handler: FeedHandler | undefined;
  const session = {
    stream: async (_from: number, given: FeedHandler) => {
      handler = given;
    },
    acknowledge: (lsn: number) => acknowledged.push(lsn),
    poke() {},
    pause() {},
    resume() {},
    heardAt: performance.now(),
  };
  const target = {
    name: 's/projection',
    definition,
    async writeAll(_tables: readonly PendingTable[], _position: unknown, next: number) {
      written.push(next);
      return logs.shift()!;
    },
  } as unknown as ProjectionTarget;
  const position = { epoch: 'e', lsn: 0, leader: 1, letters: 0, fingerprint: '' };
  const made = new Writer({
    session: session as unknown as FeedSession,
    target,
    record: undefined!,
    position,
    held: new Set(),
  });
  const over = made.run().catch((error: Error) => error);
  const commit = async (lsn: number) => {
    const change: Change = { op: 'insert', table: SOURCE, before: null, after: { id: lsn, value: 1 } };
    handler!.transaction({ xid: lsn, lsn, committedAt: 0, changes: [change] });
    while (written.at(-1) !== lsn) await sleep(1);
    await sleep(1);
  };
  const progress = (lsn: number) => {
    handler!.progress(lsn);
    made.tick();
  };
  return { made, session, over, acknowledged, commit, progress };
}

test('[SPEC 3] a batch whose commit may not be on disk is acknowledged when the stream shows that it is', async () => {
  const { made, acknowledged, commit, progress } = writer([150, 260, 360, null]);
  await commit(100);
  progress(199);
  assert.deepEqual(acknowledged, [], 'its commit lies after 150, nobody knows how far');
  await commit(200);
  progress(259);
  assert.deepEqual(acknowledged, [], 'it ended before 260, which is not flushed yet');
  progress(260);
  assert.deepEqual(acknowledged, [100]);
  await commit(300);
  progress(1000);
  assert.deepEqual(acknowledged, [100, 200]);
  await commit(1100);
  assert.deepEqual(acknowledged, [100, 200, 1100], 'a batch that is flushed, and so is all before it');
  made.end(new Error('over'));
  await made.stop();
});

test('a projection is not behind by what is not its own: the log goes on, and nothing waits', async () => {
  const { made, commit, progress } = writer([null]);
  await commit(100);
  assert.equal(made.reached, 100);
  progress(90_000);
  assert.deepEqual([made.position.lsn, made.reached], [100, 90_000]);
  const late = commit(90_100);
  assert.equal(made.reached, 100, 'a row waits');
  await late;
  assert.equal(made.reached, 90_100);
  made.end(new Error('over'));
  await made.stop();
});

test('[SPEC 3] a server that is heard is not given up, however long it has nothing for the target; a silent one is', async () => {
  const { made, session, over } = writer([]);
  const spoke = performance.now();
  session.heardAt = spoke - 14_000;
  made.tick();
  assert.equal(await Promise.race([over, sleep(5)]), undefined);
  session.heardAt = spoke - 16_000;
  made.tick();
  assert.match((await over).message, /silent for 15 s/);
  await made.stop();
});
