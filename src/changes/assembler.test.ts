import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembler } from './assembler.ts';
import type { Change, Table } from './change.ts';
import { RebuildNeeded } from './feed.ts';
import type { Message } from './pgoutput/message.ts';

const table: Table = { oid: 1, name: 'a.b', columns: [], key: ['id'], full: false };

function insert(id: number): Change & { op: 'insert' } {
  return { op: 'insert', table, before: null, after: { id } };
}

function setUp(options: { from?: number; maxChanges?: number; maxBytes?: number; merging?: Promise<void> } = {}) {
  const calls: string[] = [];
  const assembler = new Assembler({
    from: options.from ?? 0,
    maxChanges: options.maxChanges ?? 3,
    maxBytes: options.maxBytes ?? 1000,
    schemaChange: ({ content }) => content || undefined,
    onSlice: () => calls.push('turn'),
    onBusy: (until) => {
      assert.equal(until, options.merging);
      calls.push('wait');
    },
    handler: {
      transaction: ({ lsn, changes }) => calls.push(`transaction ${lsn}: ${changes.length}`),
      largeBegin: (xid, commitLsn) => calls.push(`begin ${xid} ${commitLsn}`),
      largeSlice: (changes) => calls.push(`slice ${changes.length}`),
      largeEnd: ({ lsn, changes }) => {
        calls.push(`end ${lsn}: ${changes.length}`);
        return options.merging;
      },
      progress: (lsn) => calls.push(`progress ${lsn}`),
      schemaChanged: (detail) => calls.push(`schema ${detail}`),
    },
  });
  const send = (...messages: Message[]) => {
    for (const message of messages) assembler.message(message, 10);
  };
  return { assembler, calls, send };
}

/** A transaction whose commit record goes from `lsn` to `lsn + 8`. */
function transaction(lsn: number, changes: number): Message[] {
  return [
    { op: 'begin', commitLsn: lsn, xid: lsn },
    ...Array.from({ length: changes }, (_, i) => insert(i)),
    { op: 'commit', commitLsn: lsn, endLsn: lsn + 8, committedAt: 0 },
  ];
}

test('[SPEC 2] whole transactions, known by their end LSN', () => {
  const { calls, send } = setUp();
  send(...transaction(100, 2), ...transaction(108, 0), ...transaction(200, 3));
  assert.deepEqual(calls, ['transaction 108: 2', 'transaction 116: 0', 'transaction 208: 3']);
});

test('[SPEC 3] [rule 1] what ends at or before the position is skipped, what begins at it is not', () => {
  const { calls, send } = setUp({ from: 108 });
  send(...transaction(100, 5), ...transaction(108, 1));
  assert.deepEqual(calls, ['transaction 116: 1']);
});

test('[rule 1] a position inside a commit record is none: a gap, not a guess', () => {
  const { send } = setUp({ from: 104 });
  assert.throws(() => send(...transaction(100, 1)), rebuild('gap'));
});

test('[SPEC 8] a large transaction comes in slices, each followed by a turn', () => {
  const { calls, send } = setUp();
  send(...transaction(100, 10), ...transaction(200, 1));
  assert.deepEqual(calls, [
    'begin 100 100',
    'slice 4',
    'turn',
    'slice 4',
    'turn',
    'slice 2',
    'end 108: 0',
    'transaction 208: 1',
  ]);
});

test('after a large transaction nothing is handed out before its consumer is done with it', () => {
  const { calls, send } = setUp({ merging: Promise.resolve() });
  send(...transaction(100, 3));
  assert.deepEqual(calls.splice(0), ['transaction 108: 3']);
  send(...transaction(108, 5));
  assert.deepEqual(calls.slice(-2), ['end 116: 0', 'wait']);
});

test('[SPEC 8] few changes of many bytes are a large transaction too', () => {
  const { calls, send } = setUp({ maxChanges: 100, maxBytes: 25 });
  send(...transaction(100, 4));
  assert.deepEqual(calls, ['begin 100 100', 'slice 3', 'turn', 'slice 1', 'end 108: 0']);
});

test('[SPEC 4] [rule 2] a keepalive is progress outside a transaction only, and never goes back', () => {
  const { assembler, calls, send } = setUp({ from: 50 });
  assembler.keepalive(40);
  assembler.keepalive(60);
  const [begin, change, commit] = transaction(100, 1);
  send(begin!);
  assembler.keepalive(130);
  send(change!, commit!);
  assembler.keepalive(90);
  assembler.keepalive(108);
  assembler.keepalive(140);
  assert.deepEqual(calls, ['progress 60', 'transaction 108: 1', 'progress 108', 'progress 140']);
});

test('[SPEC 3] a transaction that does not follow is a gap', () => {
  for (const start of [100, 92]) {
    const { send } = setUp();
    send(...transaction(100, 1));
    assert.throws(() => send(...transaction(start, 1)), rebuild('gap'));
  }
  const { assembler, send } = setUp();
  assembler.keepalive(150);
  assert.throws(() => send(...transaction(100, 1)), rebuild('gap'));
});

test('a commit without its begin, or a begin inside a transaction, is a gap', () => {
  assert.throws(() => setUp().send({ op: 'commit', commitLsn: 1, endLsn: 9, committedAt: 0 }), rebuild('gap'));
  const { send } = setUp();
  send({ op: 'begin', commitLsn: 1, xid: 1 });
  assert.throws(() => send({ op: 'begin', commitLsn: 2, xid: 2 }), rebuild('gap'));
});

test('[rule 15] a schema change is told before the transaction that brings it, and not again', () => {
  const message = (content: string, transactional: boolean): Message => ({
    op: 'message',
    transactional,
    prefix: 'x',
    content,
  });
  const { calls, send } = setUp({ from: 50 });
  const [begin, ...rest] = transaction(100, 1);
  send(message('ignored', false), begin!, message('first', true), message('', true), ...rest, ...transaction(200, 1));
  assert.deepEqual(calls, ['schema first', 'transaction 108: 1', 'transaction 208: 1']);
});

function rebuild(reason: string) {
  return (error: unknown) => error instanceof RebuildNeeded && error.reason === reason;
}
