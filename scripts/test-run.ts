import { chmodSync, existsSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { listenForStop } from '../src/cli/stop-signal.ts';
import { startEmbedded } from '../src/record/embedded.ts';
import { buildWebIfNeeded } from './build-web.ts';
import { checks } from './check.ts';
import { killAll, processesMarked, RUN_MARK } from './leftovers.ts';
import { ensurePrerequisites } from './prerequisites.ts';
import { TestReport } from './test-report.ts';

/** Longer on a machine that is busy with other things. */
const TEST_TIMEOUT_MS = Number(process.env.LOCKSTEP_TEST_TIMEOUT ?? 120_000);
const FILE_TIMEOUT_MS = 8 * TEST_TIMEOUT_MS;
/** Two files at once: one mostly waits for PostgreSQL or Chromium while the other computes. */
const CONCURRENCY = 2;

/** Each application that a file starts has slots of its own until the file ends. */
const MANY_SLOTS = { max_replication_slots: '200', max_wal_senders: '200' };

const root = fileURLToPath(new URL('..', import.meta.url));
const print = (line: string) => console.log(line);
const report = new TestReport({ root, print });
const stop = listenForStop(() => process.exit(1)).signal;

export interface TestRunOptions {
  /** Only the test files under these; none: all of them, and every check. */
  readonly paths: readonly string[];
  /** Pages are tested too, unless told. */
  readonly pages?: boolean;
}

/** The test files that are meant, the longest-running kinds first, so that the last ones to end are short. */
function testFiles({ paths, pages = true }: TestRunOptions): string[] {
  const kinds = ['.browser.test.ts', '.pg.test.ts', '.valkey.test.ts', '.test.ts'];
  const kind = (file: string) => kinds.findIndex((suffix) => file.endsWith(suffix));
  return globSync('{src,services,scripts,docs,web,bench}/**/*.test.ts', {
    cwd: root,
    exclude: ['**/node_modules/**', 'web/dist/**'],
  })
    .filter((file) => pages || !file.endsWith('.browser.test.ts'))
    .filter((file) => paths.length === 0 || paths.some((path) => isUnder(file, path)))
    .sort((a, b) => kind(a) - kind(b) || (a < b ? -1 : 1))
    .map((file) => join(root, file));
}

function isUnder(file: string, path: string): boolean {
  const wanted = relative(root, resolve(path));
  return wanted === '' || file === wanted || file.startsWith(`${wanted}/`) || file.startsWith(`${wanted}.`);
}

async function runChecks(): Promise<void> {
  for (const check of checks) {
    const began = performance.now();
    report.check(check.name, await check.run(), performance.now() - began);
  }
}

/** Where everything of this run lives, so that what is left over shows. */
function prepareEnvironment(): { mark: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  chmodSync(folder, 0o755); // As root, PostgreSQL runs under another user.
  const mark = basename(folder);
  process.env.TMPDIR = folder;
  process.env[RUN_MARK] = mark;
  process.env.NODE_ENV = 'test';
  // npm and compilers that tests start would put theirs into the folder.
  process.env.NODE_COMPILE_CACHE = join(root, 'node_modules/.cache/tests');
  delete process.env.LOCKSTEP_PARENT; // This process minds its parent; the tests' processes have another one.
  return { mark, folder };
}

async function runTests(files: string[]): Promise<void> {
  const events = run({
    files,
    cwd: root,
    concurrency: CONCURRENCY,
    timeout: FILE_TIMEOUT_MS,
    execArgv: [`--test-timeout=${TEST_TIMEOUT_MS}`],
    signal: stop,
  });
  for await (const event of events) {
    if (event.type === 'test:start') report.started(event.data);
    else if (event.type === 'test:stdout' || event.type === 'test:stderr') report.output(event.data.message);
    else if (event.type === 'test:pass') report.passed(event.data);
    else if (event.type === 'test:fail') report.failed(event.data);
    else if (event.type === 'test:summary') report.summary(event.data);
  }
}

/** Ends what the tests left running, and tells it. */
function leftovers(mark: string, folder: string): string | undefined {
  const processes = processesMarked(mark);
  killAll(processes);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const told = [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`),
    ...files.map((file) => `file: ${file}`),
  ];
  return told.length > 0 ? told.join('\n') : undefined;
}

/** One PostgreSQL for all tests that need one; each makes a database of its own in it. */
async function withPostgres(folder: string, work: () => Promise<void>): Promise<void> {
  const dataDir = join(folder, 'record');
  const postgres = await startEmbedded({ dataDir, log: pino({ level: 'silent' }), settings: MANY_SLOTS });
  process.env.LOCKSTEP_TEST_PG = postgres.url;
  try {
    await work();
  } finally {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function checkAndTest(options: TestRunOptions): Promise<void> {
  const { paths } = options;
  ensurePrerequisites(print);
  const { mark, folder } = prepareEnvironment();
  try {
    if (paths.length === 0) await runChecks();
    else print('only some files: the checks (lint, types, import directions) are not run; "npm run check" does');
    const files = testFiles(options);
    if (files.length === 0) throw new Error(`no test file under ${paths.join(', ')}`);
    await buildWebIfNeeded();
    await withPostgres(folder, () => runTests(files));
    if (!stop.aborted) {
      report.check('no process and no file left behind', leftovers(mark, folder), 0);
    }
  } finally {
    killAll(processesMarked(mark));
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs tests, and ends the process: with 0 only when nothing failed. Last line: `N passed, N failed, N skipped`.
 */
export async function testRun(options: TestRunOptions): Promise<never> {
  try {
    await checkAndTest(options);
  } catch (error) {
    print(error instanceof Error ? (error.stack ?? error.message) : String(error));
    report.totals.failed++;
  }
  if (stop.aborted) print('stopped before the end');
  report.finish();
  process.exit(report.totals.failed > 0 || stop.aborted ? 1 : 0);
}
