import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, type RecordFacts, RecordUnfit } from './checks.ts';

const GOOD: RecordFacts = {
  version: 140_000,
  walLevel: 'logical',
  inRecovery: false,
  encoding: 'UTF8',
  fsync: 'on',
  synchronousCommit: 'on',
  user: 'app',
  database: 'shop',
  mayCreate: true,
  replicationUser: 'app',
  mayReplicate: true,
  maxSlots: 10,
  usedSlots: 8,
  maxSenders: 10,
  usedSenders: 8,
  neededSlots: 2,
  neededSenders: 2,
};

/** What is different, what is found, and the fix. */
const CASES: readonly [Partial<RecordFacts>, RegExp, RegExp][] = [
  [{ version: 130_015 }, /PostgreSQL 13; .* 14 or newer/, /upgrade/],
  [{ walLevel: 'replica' }, /wal_level is replica/, /ALTER SYSTEM SET wal_level = 'logical'; then restart/],
  [{ mayReplicate: false, replicationUser: 'Repl' }, /user Repl may not replicate/, /ALTER ROLE "Repl" REPLICATION;/],
  [{ usedSlots: 9 }, /9 of 10 replication slots .*needs 2 free/, /max_replication_slots = 17;/],
  [{ maxSlots: 12, neededSlots: 5 }, /8 of 12 replication slots .*needs 5 free/, /max_replication_slots = 19;/],
  [{ usedSenders: 10 }, /10 of 10 WAL senders/, /max_wal_senders = 18;/],
  [{ mayCreate: false }, /app may not create schemas in database shop/, /GRANT CREATE ON DATABASE shop TO app;/],
  [{ encoding: 'LATIN1' }, /database shop is LATIN1/, /ENCODING 'UTF8' TEMPLATE template0/],
  [{ inRecovery: true }, /standby/, /primary/],
  [{ synchronousCommit: 'off' }, /synchronous_commit is off/, /ALTER ROLE app SET synchronous_commit = on;/],
  [{ fsync: 'off' }, /fsync is off/, /ALTER SYSTEM SET fsync = on;/],
];

test('a good server has no problems; synchronous_commit may be any but off', () => {
  for (const synchronousCommit of ['on', 'local', 'remote_write', 'remote_apply']) {
    assert.deepEqual(problemsOf({ ...GOOD, synchronousCommit }), []);
  }
});

test('each problem is found alone, with its fix', () => {
  for (const [difference, found, fix] of CASES) {
    const problems = problemsOf({ ...GOOD, ...difference });
    assert.equal(problems.length, 1, JSON.stringify(difference));
    assert.match(problems[0]!.found, found);
    assert.match(problems[0]!.fix, fix);
  }
});

test('several problems are told at once; of a server too old only that', () => {
  const bad = { ...GOOD, walLevel: 'minimal', fsync: 'off' };
  assert.equal(problemsOf(bad).length, 2);
  assert.equal(problemsOf({ ...bad, version: 120_000 }).length, 1);
  assert.match(new RecordUnfit(problemsOf(bad)).message, /wal_level is minimal.*\n\s+Fix: .*\n.*fsync is off/);
});
