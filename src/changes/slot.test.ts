import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotBusy } from './errors.ts';
import { RebuildNeeded } from './feed.ts';
import { checkSlot, readSlot, type SlotState } from './slot.ts';

const usable: SlotState = {
  plugin: 'pgoutput',
  database: 'app',
  activePid: null,
  confirmed: 1,
  retainedBytes: 0,
  lost: null,
};

test('a slot of another plugin or database is refused with the fix', () => {
  checkSlot('s', usable, 'app');
  assert.throws(
    () => checkSlot('s', { ...usable, plugin: 'wal2json' }, 'app'),
    /for plugin wal2json.*pg_drop_replication_slot\('s'\)/,
  );
  assert.throws(() => checkSlot('s', usable, 'other'), /in database app; Lockstep needs pgoutput in other/);
  assert.throws(
    () => checkSlot('s', { ...usable, activePid: 7 }, 'app'),
    (error) => error instanceof SlotBusy && error.pid === 7,
  );
});

test('[SPEC 6] an invalidated slot is lost, in the words of each PostgreSQL version', async () => {
  const read = (slot: object) => readSlot(async () => [{ slot: JSON.stringify(slot), retained: 5 }], 's');
  const fine = { plugin: 'pgoutput', restart_lsn: '0/1', confirmed_flush_lsn: '0/2', wal_status: 'reserved' };
  assert.equal((await read(fine))?.lost, null);
  for (const broken of [{ wal_status: 'lost' }, { invalidation_reason: 'wal_removed' }, { restart_lsn: null }]) {
    const state = await read({ ...fine, ...broken });
    assert.throws(
      () => checkSlot('s', { ...state!, database: 'app' }, 'app'),
      (error) => error instanceof RebuildNeeded && error.reason === 'slot lost',
    );
  }
});
