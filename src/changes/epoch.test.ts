import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseOf, epochOf } from './epoch.ts';
import { formatPosition, parsePosition } from './position.ts';

const log = { systemId: '7578643211234567890', timeline: 1, databaseOid: 16384, restoreId: '' };

test('[SPEC 3] [rule 1] another system, timeline, database or restore is another epoch', () => {
  const epochs = [
    epochOf(log),
    epochOf({ ...log, systemId: '7578643211234567891' }),
    epochOf({ ...log, timeline: 2 }),
    epochOf({ ...log, databaseOid: 5 }),
    epochOf({ ...log, restoreId: 'b' }),
  ];
  assert.equal(new Set(epochs).size, epochs.length);
  assert.equal(epochOf({ ...log }), epochs[0]);
});

test('[rule 1] a standby that is promoted is the same database; a restored copy, or a copy on the same server, is another one', () => {
  assert.equal(databaseOf({ ...log, timeline: 2 }), databaseOf(log));
  const others = [
    databaseOf(log),
    databaseOf({ ...log, systemId: '7578643211234567891' }),
    databaseOf({ ...log, databaseOid: 5 }),
    databaseOf({ ...log, restoreId: 'b' }),
  ];
  assert.equal(new Set(others).size, others.length);
  assert.match(databaseOf(log), /^[0-9a-z]{12}$/);
});

test('an epoch fits into a position', () => {
  const position = { epoch: epochOf(log), lsn: 2 ** 52 + 1 };
  assert.deepEqual(parsePosition(formatPosition(position)), position);
});
