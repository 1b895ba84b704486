import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { services } from '../../services/index.ts';
import { LeftSlot } from '../runtime/left-slot.ts';
import { viewsSlot } from '../runtime/projections.ts';
import { testDatabase } from './database.ts';
import { FakeStore } from './fake-store.ts';
import { testServices } from './services.ts';

const leaderboard = services.filter(({ name }) => name === 'leaderboard');

/** A database whose views were in a store, by a node that still runs, and a look at what is left of it. */
async function world(t: TestContext) {
  const { url: databaseUrl, record } = await testDatabase(t);
  const store = new FakeStore();
  const node = await testServices(t, leaderboard, { databaseUrl }, () => store.open());
  const slot = viewsSlot(databaseUrl);
  const told: { fix?: string; retainedBytes?: number; text: string }[] = [];
  const log = { warn: (facts: object, text: string) => told.push({ ...facts, text }) };
  return {
    ...{ databaseUrl, record, node, slot, told },
    /** The nodes were last seen so long ago. */
    seen: (ago: string) =>
      record.query('update lockstep.leader set heartbeat = clock_timestamp() - $1::interval', [ago]),
    isThere: async () =>
      (await record.query('select from pg_replication_slots where slot_name = $1', [slot])).length > 0,
    look: new LeftSlot({ record, slot, log: log as never }),
  };
}

test('[SPEC 8] [rule 14] the slot of views in a store is left alone while a node has it or had it just now, and then dropped', async (t) => {
  const { node, look, told, isThere, seen, slot } = await world(t);
  await seen('1 hour');
  await look.look();
  assert.equal(told.length, 0, 'a node has it');
  await node.stop();
  await seen('1 minute');
  await look.look();
  await look.look();
  assert.equal(told.length, 1, 'once');
  assert.match(told[0]!.text, /no node has led for 10 minutes/);
  assert.equal(told[0]!.fix, `select pg_drop_replication_slot('${slot}')`);
  assert.ok(told[0]!.retainedBytes! >= 0);
  assert.ok(await isThere());
  await seen('1 hour');
  await look.look();
  assert.equal(await isThere(), false);
  assert.match(told[1]!.text, /it is dropped/);
  await look.look();
  assert.equal(told.length, 2);
});

test('[SPEC 8] [rule 14] a start without a store drops the slot that nodes with one have left behind; they come back all the same', async (t) => {
  const { databaseUrl, node, isThere, seen } = await world(t);
  await node.stop();
  await seen('1 hour');
  await testServices(t, leaderboard, { databaseUrl });
  assert.equal(await isThere(), false);
  const again = await testServices(t, leaderboard, { databaseUrl }, () => new FakeStore().open());
  assert.equal((await again.views[0]!.verify()).drift, 0);
  assert.ok(await isThere());
});
