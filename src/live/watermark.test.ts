import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionAhead, PositionOfAnotherEpoch, PositionTimeout, TooManyWaiters } from './errors.ts';
import { Watermark, type WatermarkOptions } from './watermark.ts';

function watermarkAt(lsn: number, options: Partial<WatermarkOptions> = {}) {
  const watermark = new Watermark({ flushedLsn: async () => 1000, poke: () => {}, ...options });
  watermark.restart({ epoch: 'e', lsn });
  return watermark;
}

const receipt = (xid: number) => ({ xid: BigInt(xid) });

test('[SPEC 4] a write waits for its transaction id and learns its position', async () => {
  const watermark = watermarkAt(100);
  const applied = watermark.applied(receipt(7), 1000);
  watermark.transaction(6, 110);
  watermark.transaction(7, 120);
  watermark.transaction(8, 130);
  assert.deepEqual(await applied, { position: { epoch: 'e', lsn: 120 }, applied: true });
  assert.deepEqual(await watermark.applied(receipt(6), 1000), { position: { epoch: 'e', lsn: 110 }, applied: true });
  assert.equal(watermark.waiters, 0);
});

test('[SPEC 4] the transaction id is found beyond 32 bits', async () => {
  const watermark = watermarkAt(100);
  watermark.transaction(5, 110);
  const { position } = await watermark.applied({ xid: 2n ** 32n + 5n }, 1000);
  assert.equal(position?.lsn, 110);
});

test('[SPEC 4] [rule 2] a write that changed nothing published is not waited for for ever: a keepalive ends the wait', async () => {
  let pokes = 0;
  const watermark = watermarkAt(100, {
    flushedLsn: async () => 500,
    poke: () => {
      pokes++;
      setImmediate(() => watermark.progress(500)); // what the server answers
    },
  });
  const started = performance.now();
  const { position, applied } = await watermark.applied(receipt(7), 60_000);
  assert.equal(applied, true);
  assert.equal(position?.lsn, 500);
  assert.ok(pokes >= 1);
  assert.ok(performance.now() - started < 30_000, 'not by running out of time');
});

test('[SPEC 4] a wait that runs out says so and still names a position', async () => {
  const watermark = watermarkAt(100, { flushedLsn: async () => 500 });
  assert.deepEqual(await watermark.applied(receipt(7), 30), { position: { epoch: 'e', lsn: 500 }, applied: false });
  assert.deepEqual(await watermark.applied(receipt(8), 0), { position: { epoch: 'e', lsn: 500 }, applied: false });
  const away = watermarkAt(100, { flushedLsn: () => Promise.reject(new Error('down')) });
  assert.deepEqual(await away.applied(receipt(7), 30), { position: null, applied: false });
});

test("[SPEC 4] [rule 2] a wait ends in time also while the log's end is asked for in vain", async () => {
  let asked = 0;
  const watermark = watermarkAt(100, {
    flushedLsn: () => (asked++ === 0 ? new Promise<number>(() => {}) : Promise.resolve(500)),
  });
  assert.deepEqual(await watermark.applied(receipt(7), 50), { position: { epoch: 'e', lsn: 500 }, applied: false });
  assert.equal(watermark.waiters, 0);
});

test('[SPEC 4] a read waits for a position', async () => {
  const watermark = watermarkAt(100);
  const reached = watermark.reached({ epoch: 'e', lsn: 150 }, 60_000);
  let done = false;
  reached.then(() => {
    done = true;
  });
  watermark.transaction(1, 149);
  await new Promise(setImmediate);
  assert.equal(done, false);
  watermark.transaction(2, 160);
  await reached;
});

test('[SPEC 4] [rule 3] a position ahead of the record, of another epoch, or too late is refused', async () => {
  const watermark = watermarkAt(100);
  await assert.rejects(watermark.reached({ epoch: 'e', lsn: 1001 }, 1000), PositionAhead);
  await assert.rejects(watermark.reached({ epoch: 'f', lsn: 50 }, 1000), PositionOfAnotherEpoch);
  await assert.rejects(watermark.reached({ epoch: 'e', lsn: 900 }, 20), PositionTimeout);
});

test('[SPEC 4] [rule 1] a change of epoch ends the waits of the one before: their LSNs mean nothing any more', async () => {
  const watermark = watermarkAt(100);
  const write = watermark.applied(receipt(7), 60_000);
  const read = watermark.reached({ epoch: 'e', lsn: 150 }, 60_000);
  await new Promise(setImmediate);
  watermark.restart({ epoch: 'f', lsn: 0 });
  watermark.transaction(7, 900);
  assert.deepEqual(await write, { position: { epoch: 'f', lsn: 1000 }, applied: false });
  await assert.rejects(read, PositionOfAnotherEpoch);
});

test('[SPEC 8] [rule 3] waiters are bounded', async () => {
  const watermark = watermarkAt(100, { maxWaiters: 2 });
  const waits = [watermark.reached({ epoch: 'e', lsn: 150 }, 5000), watermark.reached({ epoch: 'e', lsn: 151 }, 5000)];
  await new Promise(setImmediate);
  await assert.rejects(watermark.reached({ epoch: 'e', lsn: 152 }, 5000), TooManyWaiters);
  watermark.progress(200);
  await Promise.all(waits);
  await watermark.reached({ epoch: 'e', lsn: 200 }, 5000);
});

test('[SPEC 5] [rule 11] what is applied but not yet visible in a snapshot is noticed', () => {
  const watermark = watermarkAt(100);
  assert.equal(watermark.visibleIn('10:10:', watermark.mark()), true, 'nothing applied yet');
  watermark.transaction(12, 110);
  const mark = watermark.mark();
  assert.equal(watermark.visibleIn('12:12:', mark), false, 'not begun when the snapshot was taken');
  assert.equal(watermark.visibleIn('12:14:12', mark), false, 'still running in the snapshot');
  assert.equal(watermark.visibleIn('13:14:13', mark), true);
  watermark.transaction(15, 120);
  assert.equal(watermark.visibleIn('13:14:13', mark), true, 'what came after the mark does not matter');
  assert.equal(watermark.visibleIn('13:14:13', watermark.mark()), false);
});

test('[SPEC 5] [rule 11] transaction ids compare around 2^32, from any first one, and in each epoch anew', () => {
  const watermark = watermarkAt(100);
  const applied = (xid: number, lsn: number, ...snapshots: [string, boolean][]) => {
    watermark.transaction(xid, lsn);
    for (const [snapshot, visible] of snapshots) {
      assert.equal(watermark.visibleIn(snapshot, watermark.mark()), visible, `${xid} in ${snapshot}`);
    }
  };
  applied(3_000_000_000, 110, ['3000000001:3000000001:', true], ['3000000000:3000000000:', false]);
  applied(2 ** 32 - 1, 120, ['4294967296:4294967296:', true], ['4294967295:4294967295:', false]);
  applied(3, 130, ['4294967300:4294967300:', true], ['4294967297:4294967297:', false]);
  watermark.restart({ epoch: 'f', lsn: 0 });
  assert.equal(watermark.visibleIn('10:10:', watermark.mark()), true, 'nothing of this epoch applied yet');
  applied(2_500_000_000, 10, ['2500000001:2500000001:', true]);
});
