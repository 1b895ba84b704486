import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestDatabase, testDatabase } from '../testing/database.ts';
import { FeedRecorder, openTestFeed, openWriter, testSlot, type Writer } from '../testing/feed-recorder.ts';
import { SlotBusy, SlotCreationBlocked } from './errors.ts';
import { type FeedSession, RebuildNeeded, type RebuildReason } from './feed.ts';
import type { FeedOptions } from './open-feed.ts';
import { formatLsn } from './position.ts';
import { ensurePublication } from './publication.ts';

const sources = [{ table: 'public.items' }];

describe('slots', () => {
  let database: TestDatabase;
  let writer: Writer;
  const slots: string[] = [];

  before(async () => {
    database = await testDatabase({ name: 'resume' });
    writer = await openWriter(database);
    await writer.sql('create table items (id int generated always as identity primary key, n int)');
    await ensurePublication(database.record, 'lockstep', ['public.items']);
  });

  after(async () => {
    for (const slot of slots) {
      await inactive(slot);
      await writer.sql(
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}'`,
      );
    }
    await writer.close();
  });

  function durable() {
    const name = testSlot();
    slots.push(name);
    return { name, temporary: false };
  }

  const open = (options: Partial<FeedOptions> = {}) => openTestFeed(database, { sources, ...options });
  const insert = (n: number) => writer.sql(`insert into items (n) values (${n})`);
  const numbers = (recorder: FeedRecorder) => recorder.changes.map(({ after }) => after?.n);

  async function walsender(slot: string): Promise<number> {
    for (;;) {
      const [row] = await writer.sql(`select active_pid as pid from pg_replication_slots where slot_name = '${slot}'`);
      if (row?.pid) return Number(row.pid);
    }
  }

  async function inactive(slot: string): Promise<void> {
    for (;;) {
      const [row] = await writer.sql(`select active from pg_replication_slots where slot_name = '${slot}'`);
      if (!row?.active) return;
    }
  }

  async function gone(slot: string): Promise<void> {
    while ((await writer.sql(`select from pg_replication_slots where slot_name = '${slot}'`)).length > 0);
  }

  async function streamFrom(session: FeedSession, from: number): Promise<FeedRecorder> {
    const recorder = new FeedRecorder();
    await session.stream(from, recorder);
    return recorder;
  }

  test('[SPEC 3] a durable slot goes on after its connection was killed: nothing lost, nothing twice', async () => {
    const slot = durable();
    let session = await open({ slot });
    assert.ok(session.snapshot, 'a new slot comes with a snapshot');
    let from = session.start;
    const applied: unknown[] = [];
    for (let round = 0; round < 6; round++) {
      const recorder = await streamFrom(session, from);
      recorder.onStep = ({ position }) => {
        // What is acknowledged lags behind what is applied, as with a crash between the two.
        if (round % 2 === 0) session.acknowledge(position);
      };
      const writing = (async () => {
        for (let i = 0; i < 50; i++) await insert(round * 50 + i);
      })();
      await recorder.until(({ transactions }) => transactions.length >= 10);
      await writer.client.query('select 1');
      const killer = await openWriter(database);
      await killer.sql(`select pg_terminate_backend(${await walsender(slot.name)})`);
      await killer.close();
      await recorder.until(({ error }) => error !== undefined);
      assert.ok(!(recorder.error instanceof RebuildNeeded), 'worth a reconnect');
      await session.close();
      await writing;
      applied.push(...numbers(recorder));
      from = recorder.position;
      await inactive(slot.name);
      session = await open({ slot, state: { epoch: session.epoch, lsn: from } });
      assert.equal(session.snapshot, undefined, 'carried on without a snapshot');
      assert.ok(session.start <= from);
    }
    const recorder = await streamFrom(session, from);
    await recorder.caughtUp(database, session);
    await session.close();
    applied.push(...numbers(recorder));
    assert.deepEqual(
      applied,
      Array.from({ length: 300 }, (_, i) => i),
    );
  });

  test('[SPEC 3] [rule 1] resuming at the end LSN delivers nothing again; at the commit LSN it would', async () => {
    const slot = durable();
    const session = await open({ slot });
    const recorder = await streamFrom(session, session.start);
    await insert(1);
    await recorder.until(({ transactions }) => transactions.length === 1);
    const end = recorder.transactions[0]!.lsn;
    await session.close();
    await inactive(slot.name);

    const again = await open({ slot });
    const fromEnd = await streamFrom(again, end);
    await fromEnd.caughtUp(database, again);
    await again.close();
    assert.deepEqual(fromEnd.changes, []);

    await inactive(slot.name);
    const peeked = await writer.sql(
      `select lsn - '0/0'::pg_lsn as lsn, get_byte(data, 0) as kind,
         ('x' || encode(substr(data, 2, 8), 'hex'))::bit(64)::bigint as final
       from pg_logical_slot_peek_binary_changes('${slot.name}', null, null, 'proto_version', '1', 'publication_names', 'lockstep')`,
    );
    const commitLsn = Number(peeked.find(({ kind }) => kind === 'B'.charCodeAt(0))!.final);
    assert.ok(commitLsn < end);
    const third = await open({ slot });
    const fromCommit = await streamFrom(third, commitLsn);
    await fromCommit.caughtUp(database, third);
    await third.close();
    assert.equal(fromCommit.changes.length, 1, `delivered again from ${formatLsn(commitLsn)}`);
  });

  test('[SPEC 3] only what is acknowledged is confirmed, and what is confirmed is not asked for again', async () => {
    const slot = durable();
    const session = await open({ slot });
    const recorder = await streamFrom(session, session.start);
    await insert(1);
    await insert(2);
    await recorder.until(({ transactions }) => transactions.length === 2);
    const [first, second] = recorder.transactions;
    session.acknowledge(first!.lsn);
    await session.close();
    await inactive(slot.name);
    const [row] = await writer.sql(
      `select (confirmed_flush_lsn - '0/0'::pg_lsn)::float8 as lsn from pg_replication_slots where slot_name = '${slot.name}'`,
    );
    assert.equal(row!.lsn, first!.lsn);
    const again = await open({ slot });
    assert.equal(again.start, first!.lsn);
    const behind = again.stream(first!.lsn - 1, new FeedRecorder());
    await assert.rejects(behind, rebuild('gap'), 'the slot has let go of what the caller lacks');
    const recorded = await streamFrom(again, first!.lsn);
    await recorded.until(({ transactions }) => transactions.length === 1);
    assert.equal(recorded.transactions[0]!.lsn, second!.lsn);
    await again.close();
  });

  test('[SPEC 8] [rule 10] the server hears from a consumer that acknowledges nothing, as often as from any', async () => {
    const slot = { name: testSlot(), temporary: true };
    const session = await open({ slot });
    const recorder = await streamFrom(session, session.start);
    await insert(1);
    await recorder.until(({ transactions }) => transactions.length === 1);
    // What keeps wal_sender_timeout from ending the connection: its last reply, which must go on being a new one.
    const heard = new Set<string>();
    for (const deadline = Date.now() + 20_000; heard.size < 4 && Date.now() < deadline; ) {
      const [sender] = await writer.sql(
        `select reply_time::text as at, (coalesce(flush_lsn, '0/0') - '0/0'::pg_lsn)::float8 as flushed
           from pg_stat_replication join pg_replication_slots on pid = active_pid where slot_name = '${slot.name}'`,
      );
      assert.ok((sender!.flushed as number) < recorder.transactions[0]!.lsn, 'nothing is acknowledged');
      if (sender!.at) heard.add(String(sender!.at));
      await sleep(20);
    }
    assert.equal(heard.size, 4, 'replies');
    await insert(2);
    await recorder.until(({ transactions }) => transactions.length === 2);
    await session.close();
  });

  test('[SPEC 6] [rule 14] a temporary slot is gone with its connection: rebuild, not reconnect', async () => {
    const slot = { name: testSlot(), temporary: true };
    const session = await open({ slot });
    const recorder = await streamFrom(session, session.start);
    await writer.sql(`select pg_terminate_backend(${await walsender(slot.name)})`);
    await recorder.until(({ error }) => error !== undefined);
    assert.ok(rebuild('slot lost')(recorder.error));
    await session.close();
    await gone(slot.name);
  });

  test('[SPEC 6] a temporary slot lost while its snapshot was read is noticed when the stream is to start', async () => {
    const slot = { name: testSlot(), temporary: true };
    const session = await open({ slot });
    await writer.sql(`select pg_terminate_backend(${await walsender(slot.name)})`);
    await gone(slot.name);
    await assert.rejects(session.stream(session.start, new FeedRecorder()), rebuild('slot lost'));
    await session.close();
  });

  test('[rule 14] a temporary slot and its connections are gone after close', async () => {
    const slot = { name: testSlot(), temporary: true };
    const session = await open({ slot });
    const recorder = await streamFrom(session, session.start);
    await session.close();
    await gone(slot.name);
    assert.equal(recorder.error, undefined, 'close is not an end to report');
  });

  test('a slot that another process follows is refused, naming the holder', async () => {
    const slot = durable();
    const session = await open({ slot });
    await streamFrom(session, session.start);
    const pid = await walsender(slot.name);
    await assert.rejects(open({ slot }), (error) => error instanceof SlotBusy && error.pid === pid);
    await session.close();
    const temporary = { name: testSlot(), temporary: true };
    const holder = await open({ slot: temporary });
    await assert.rejects(open({ slot: temporary }), SlotBusy);
    await holder.close();
  });

  test('a slot taken by another one between opening and streaming is refused too', async () => {
    const slot = durable();
    await (await open({ slot })).close();
    await inactive(slot.name);
    const [first, second] = [await open({ slot }), await open({ slot })];
    await streamFrom(first, first.start);
    await assert.rejects(second.stream(second.start, new FeedRecorder()), SlotBusy);
    await Promise.all([first.close(), second.close()]);
  });

  test('[rule 12] a new slot waits for open transactions: it gives up and names them', async () => {
    const holder = await openWriter(database);
    await holder.sql('begin; insert into items (n) values (-1)');
    const pid = Number((await holder.sql('select pg_backend_pid() as pid'))[0]!.pid);
    const slot = { name: testSlot(), temporary: true };
    await assert.rejects(open({ slot, creationTimeoutMs: 1000 }), (error) => {
      assert.ok(error instanceof SlotCreationBlocked);
      assert.ok(error.blockers.some((blocker) => blocker.pid === pid));
      assert.match(error.message, new RegExp(`pid ${pid} \\(query since .*idle in transaction`));
      return true;
    });
    await holder.sql('rollback');
    await holder.close();
    await inactive(slot.name);
    await (await open({ slot })).close();
  });

  test('[SPEC 8] [rule 14] a slot that keeps too much WAL is given up, and a durable one dropped', async () => {
    const slot = durable();
    const session = await open({ slot, walLimitBytes: 200_000, watchMs: 20 });
    const recorder = new FeedRecorder();
    // The log is all databases': what other tests write may be too much before this one has begun.
    await session.stream(session.start, recorder).catch((error) => recorder.ended(error));
    await writer.sql(`insert into items (n) select i from generate_series(1, 20000) i`);
    await recorder.until(({ error }) => error !== undefined);
    assert.ok(rebuild('wal limit')(recorder.error));
    assert.ok(session.retainedBytes > 200_000);
    await gone(slot.name);
    await session.close();
    const anew = await open({ slot });
    assert.ok(anew.snapshot, 'made anew, with a snapshot');
    await anew.close();
  });

  test('[SPEC 8] a durable slot found over its limit is dropped', async () => {
    const slot = durable();
    await (await open({ slot })).close();
    await inactive(slot.name);
    await writer.sql(`insert into items (n) select i from generate_series(1, 5000) i`);
    await assert.rejects(open({ slot, walLimitBytes: 100_000 }), rebuild('wal limit'));
    assert.deepEqual(await writer.sql(`select 1 from pg_replication_slots where slot_name = '${slot.name}'`), []);
  });

  test('[SPEC 6] a slot dropped under a running feed is lost', async () => {
    const slot = durable();
    const session = await open({ slot, watchMs: 20 });
    const recorder = await streamFrom(session, session.start);
    await writer.sql(`select pg_terminate_backend(${await walsender(slot.name)})`);
    await recorder.until(({ error }) => error !== undefined);
    await session.close();
    await inactive(slot.name);
    const again = await open({ slot });
    await writer.sql(`select pg_drop_replication_slot('${slot.name}')`);
    await assert.rejects(again.stream(again.start, new FeedRecorder()), rebuild('slot lost'));
    await again.close();
  });

  test('[SPEC 3] [rule 1] a durable slot of another epoch is refused; a caller without a state has it made anew', async () => {
    const slot = durable();
    const session = await open({ slot });
    await session.close();
    await inactive(slot.name);
    await assert.rejects(open({ slot, state: { epoch: 'another', lsn: 1 } }), rebuild('epoch changed'));
    const anew = await open({ slot, anew: true });
    assert.ok(anew.snapshot);
    await anew.close();
    await inactive(slot.name);
    await writer.sql(`create table lockstep.epoch (restore_id text); insert into lockstep.epoch values ('restored')`);
    await assert.rejects(open({ slot, state: { epoch: session.epoch, lsn: session.start } }), rebuild('epoch changed'));
    await writer.sql('drop table lockstep.epoch');
  });
});

function rebuild(reason: RebuildReason) {
  return (error: unknown) => error instanceof RebuildNeeded && error.reason === reason;
}
