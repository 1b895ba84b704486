import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Transaction } from '../../changes/change.ts';
import { FAKE_TABLE } from '../../testing/fake-feed.ts';
import { Watermark } from '../watermark.ts';
import { decodeMessage, encodeMessage, type Heartbeat, type LeaderMessage } from './message.ts';
import { Receiver } from './receiver.ts';

const EPOCH = 'e';

function node(start: { clock?: () => number } = {}) {
  const watermark = new Watermark({ flushedLsn: async () => 0, poke: () => {} });
  const heard: (number | 'resync')[] = [];
  const receiver = new Receiver({
    watermark,
    applied: ({ lsn }) => heard.push(lsn),
    resync: () => heard.push('resync'),
    missed: () => watermark.missed(),
    ...start,
  });
  return { watermark, heard, receiver };
}

const transaction = (lsn: number): Transaction => ({
  xid: lsn,
  lsn,
  committedAt: 0,
  changes: [{ op: 'insert', table: FAKE_TABLE, before: null, after: { id: 1, value: lsn } }],
});

const changes = (previous: number, lsns: readonly number[], leader = 1): LeaderMessage => ({
  type: 'changes',
  node: 'a',
  leader,
  epoch: EPOCH,
  previous,
  next: lsns.at(-1) ?? previous,
  transactions: lsns.map(transaction),
});

const heartbeat = (position: number, options: Partial<Heartbeat> = {}): LeaderMessage => ({
  type: 'heartbeat',
  node: 'a',
  leader: 1,
  epoch: EPOCH,
  position,
  following: true,
  recordEnd: position,
  broken: {},
  retainedBytes: 0,
  ...options,
});

test('[SPEC 3] [rule 20] a message that does not begin where the node stands is a gap: everything is read anew', () => {
  const { receiver, heard, watermark } = node();
  receiver.receive(heartbeat(10));
  receiver.receive(changes(10, [11, 12]));
  receiver.receive(changes(14, [15]));
  receiver.receive(changes(15, [16]));
  assert.deepEqual(heard, ['resync', 11, 12, 'resync', 16]);
  assert.equal(watermark.position.lsn, 16);
  assert.equal(receiver.gaps, 1);
});

test('[SPEC 3] [rule 20] a heartbeat ahead of the node tells of a lost message', () => {
  const { receiver, heard } = node();
  receiver.receive(heartbeat(10));
  receiver.receive(heartbeat(12));
  assert.deepEqual(heard, ['resync', 'resync']);
});

test('[SPEC 3] [rule 20] what a new leader sends again is taken where it is new: none twice, none missed', () => {
  const { receiver, heard } = node();
  receiver.receive(heartbeat(10));
  receiver.receive(changes(10, [11, 12]));
  receiver.receive(changes(10, [11], 2));
  receiver.receive(changes(11, [12, 13, 14], 2));
  assert.deepEqual(heard, ['resync', 11, 12, 13, 14]);
});

test('[SPEC 3] [rule 5] an older leader is not listened to', () => {
  const { receiver, heard, watermark } = node();
  receiver.receive(heartbeat(10, { leader: 2 }));
  receiver.receive(changes(10, [11], 1));
  receiver.receive(heartbeat(99, { leader: 1 }));
  assert.deepEqual(heard, ['resync']);
  assert.equal(watermark.position.lsn, 10);
});

test('[SPEC 5] a node that hears nothing for a second is out of step until it hears again', () => {
  let now = 0;
  const { receiver } = node({ clock: () => now });
  assert.equal(receiver.inStep, false);
  receiver.receive(heartbeat(10));
  assert.equal(receiver.inStep, true);
  now = 1001;
  assert.equal(receiver.inStep, false);
  receiver.receive(heartbeat(10));
  assert.equal(receiver.inStep, true);
  receiver.receive(heartbeat(10, { following: false }));
  assert.equal(receiver.inStep, false);
  receiver.receive(heartbeat(10));
  receiver.receive(changes(10, [11], 2));
  assert.equal(receiver.inStep, false, 'a new leader has not said yet that it follows');
});

test('[SPEC 3] [rule 1] in another epoch of the record everything begins anew', () => {
  const { receiver, heard, watermark } = node();
  receiver.receive(heartbeat(100));
  receiver.receive({ ...changes(40, [50], 2), epoch: 'f' } as LeaderMessage);
  assert.deepEqual(watermark.position, { epoch: 'f', lsn: 50 });
  assert.deepEqual(heard, ['resync', 'resync']);
});

test('[SPEC 5] [rule 11] after a gap nothing is said to be visible to SQL until the transactions of then have ended', () => {
  const { receiver, watermark } = node();
  receiver.receive(heartbeat(10));
  assert.equal(watermark.visibleIn('100:100:', watermark.mark()), false, 'it is not known which were open');
  watermark.settled([50, 60]);
  assert.equal(watermark.visibleIn('50:61:50,60', watermark.mark()), false);
  receiver.receive(changes(10, [60])); // it ended after the gap: the usual rule is for it
  assert.equal(watermark.visibleIn('50:61:50,60', watermark.mark()), false);
  assert.equal(watermark.visibleIn('60:61:60', watermark.mark()), false);
  assert.equal(watermark.visibleIn('61:61:', watermark.mark()), true);
});

test('[SPEC 3] [rule 20] whatever messages are lost, and whoever leads: each transaction is heard once in order, or a resync came', () => {
  const lost = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(lost, fc.nat(39), fc.nat(10), (keeps, takeOver, back) => {
      const { receiver, heard } = node();
      receiver.receive(heartbeat(0));
      let sent = 0;
      keeps.forEach((keep, i) => {
        const leader = i < takeOver ? 1 : 2;
        if (i === takeOver) sent = Math.max(0, sent - back);
        const message = changes(sent, [sent + 1, sent + 2], leader);
        sent += 2;
        if (keep) receiver.receive(message);
      });
      let last = 0;
      for (const each of heard.slice(1)) {
        if (each === 'resync') last = Number.NaN;
        else {
          assert.ok(Number.isNaN(last) || each === last + 1, `${each} after ${last}`);
          last = each;
        }
      }
    }),
  );
});

test('messages keep the types of what they carry; what is none is passed over', () => {
  const after = { id: 1, big: 2n ** 60n, bytes: new Uint8Array([1, 2]), left: undefined, none: null };
  const message: LeaderMessage = {
    ...changes(10, []),
    next: 11,
    transactions: [
      { xid: 1, lsn: 11, committedAt: 5, changes: [{ op: 'insert', table: FAKE_TABLE, before: null, after }] },
    ],
  } as LeaderMessage;
  assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  assert.equal(decodeMessage(Buffer.from('{}')), undefined);
  assert.equal(decodeMessage(Buffer.from([1, 9, 9])), undefined);
  assert.equal(decodeMessage(Buffer.alloc(0)), undefined);
});
