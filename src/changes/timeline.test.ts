import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOf } from './epoch.ts';
import { continues, parseHistory } from './timeline.ts';

const log = { systemId: '7578643211234567890', timeline: 3, databaseOid: 16384, restoreId: '' };
const HISTORY = '1\t0/3000148\tno recovery target specified\n\n# a comment\n2\t1/A0\tat restore point "x"\n';
const at = (timeline: number, lsn: number) => ({ epoch: epochOf({ ...log, timeline }), lsn });

test('a history file names the forks', () => {
  assert.deepEqual(parseHistory(HISTORY), [
    { timeline: 1, lsn: 0x3000148 },
    { timeline: 2, lsn: 0x1_0000_00a0 },
  ]);
});

test('[SPEC 3] [rule 1] a state goes on in a later timeline only from a position at or before the fork', () => {
  const forks = parseHistory(HISTORY);
  const goesOn = [at(3, 2 ** 40), at(1, 1), at(1, 0x3000148), at(2, 0x1_0000_00a0)];
  const built = [at(1, 0x3000149), at(2, 0x1_0000_00a1), at(4, 1), { epoch: 'another', lsn: 1 }];
  assert.deepEqual(
    goesOn.map((position) => continues(log, forks, position)),
    [true, true, true, true],
  );
  assert.deepEqual(
    built.map((position) => continues(log, forks, position)),
    [false, false, false, false],
  );
  assert.equal(continues({ ...log, restoreId: 'x' }, forks, at(1, 1)), false, 'a restore has no forks');
});
