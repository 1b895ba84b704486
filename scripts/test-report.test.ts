import assert from 'node:assert/strict';
import type { EventData } from 'node:test';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { TestReport } from './test-report.ts';

const file = '/repo/src/a.test.ts';

/** A report and the lines it has printed. */
function report() {
  const lines: string[] = [];
  const print = (line: string) => lines.push(...stripVTControlCharacters(line).split('\n'));
  return { report: new TestReport({ root: '/repo', print }), lines };
}

function failure(options: { name: string; nesting?: number; failureType?: string }): EventData.TestFail {
  const error = Object.assign(new Error('wrapped', { cause: new Error('1 is not 2') }), {
    failureType: options.failureType,
  });
  return { file, line: 7, nesting: 0, details: { error }, ...options } as unknown as EventData.TestFail;
}

function summary(counts: Partial<Record<'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo', number>>, of?: string) {
  const all = { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, ...counts };
  return { counts: all, duration_ms: 1500, file: of } as unknown as EventData.TestSummary;
}

test('a failure is told at once, with the suites around it, and again at the end', () => {
  const { report: told, lines } = report();
  told.started({ name: 'suite', nesting: 0 } as EventData.TestStart);
  told.failed(failure({ name: 'case', nesting: 1 }));
  told.failed(failure({ name: 'suite', failureType: 'subtestsFailed' })); // Says nothing new.
  assert.deepEqual(lines.slice(0, 2), ['✖ src/a.test.ts › suite › case:7', '    Error: 1 is not 2']);
  told.summary(summary({ failed: 2 }));
  told.finish();
  assert.deepEqual(lines.slice(-4), ['Failed', '  src/a.test.ts › suite › case', '', '0 passed, 2 failed, 0 skipped']);
});

test('what a file wrote is shown only when it fails', () => {
  const { report: told, lines } = report();
  told.output('noise\n');
  told.summary(summary({ passed: 3 }, file));
  told.output('a hint\n');
  told.summary(summary({ passed: 2, failed: 1 }, file));
  assert.match(lines[0]!, /^✔ src\/a\.test\.ts +3 +1\.5 s$/);
  assert.match(lines[1]!, /^✖ src\/a\.test\.ts +1 failed +1\.5 s$/);
  assert.deepEqual(lines.slice(2), ['    a hint']);
});

test('nothing is skipped silently, and running out of time is failing', () => {
  const { report: told, lines } = report();
  told.passed({ file, name: 'needs psql', nesting: 0, skip: 'psql is not installed' } as EventData.TestPass);
  told.summary(summary({ passed: 5, cancelled: 1, skipped: 1, todo: 1 }));
  told.finish();
  assert.ok(lines.includes('  src/a.test.ts › needs psql: psql is not installed'));
  assert.equal(lines.at(-1), '5 passed, 1 failed, 2 skipped');
});

test('a check counts like a test', () => {
  const { report: told, lines } = report();
  told.check('types', undefined, 10);
  told.check('lint', 'a.ts:1 is wrong\n', 10);
  told.finish();
  assert.ok(lines.includes('    a.ts:1 is wrong'));
  assert.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped');
});
