import { relative } from 'node:path';
import type { EventData } from 'node:test';
import { inspect, styleText } from 'node:util';

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** One line a test file, every failure whole and at once, every skipped test by name and reason. */
export class TestReport {
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  readonly #root: string;
  readonly #print: (line: string) => void;
  readonly #failures: string[] = [];
  readonly #skips: string[] = [];
  /** What the file now reported wrote itself; shown only if it fails. */
  #output = '';
  /** Names of the tests around the next event, outermost first. */
  #path: string[] = [];

  constructor(options: { root: string; print: (line: string) => void }) {
    this.#root = options.root;
    this.#print = options.print;
  }

  started(event: EventData.TestStart): void {
    this.#path.length = event.nesting;
    this.#path.push(event.name);
  }

  /** A check that is not a test of `node:test`: lint, types, leftovers. */
  check(name: string, problem: string | undefined, milliseconds: number): void {
    if (problem === undefined) {
      this.totals.passed++;
      this.#print(line('✔', 'green', name, '', milliseconds));
    } else {
      this.totals.failed++;
      this.#failures.push(name);
      this.#print(line('✖', 'red', name, '', milliseconds));
      this.#print(indent(problem.trimEnd()));
    }
  }

  output(message: string): void {
    this.#output += message;
  }

  passed(event: EventData.TestPass): void {
    const reason = event.skip ?? event.todo;
    if (reason === undefined || reason === false) return;
    this.#skips.push(`${this.#title(event)}: ${reason === true || reason === '' ? 'no reason given' : reason}`);
  }

  failed(event: EventData.TestFail): void {
    const error = event.details.error as Error & { failureType?: string; cause?: unknown };
    if (error.failureType === 'subtestsFailed') return;
    const title = this.#title(event);
    this.#failures.push(title);
    this.#print(
      `${styleText('red', '✖')} ${title}${event.line === undefined ? '' : styleText('dim', `:${event.line}`)}`,
    );
    this.#print(indent(describe(error)));
    if (event.name === event.file) this.#showOutput(); // A file that could not even be run says why in what it wrote.
  }

  /** The end of one file, or, without a file, of all. */
  summary(event: EventData.TestSummary): void {
    const counts = countsOf(event);
    if (event.file === undefined) this.#add(counts);
    else this.#fileDone(event.file, counts, event.duration_ms);
  }

  #add(counts: Totals): void {
    this.totals.passed += counts.passed;
    this.totals.failed += counts.failed;
    this.totals.skipped += counts.skipped;
  }

  #fileDone(file: string, { passed, failed, skipped }: Totals, milliseconds: number): void {
    const name = this.#relative(file);
    if (failed === 0) this.#print(line('✔', 'green', name, `${passed + skipped}`, milliseconds));
    else {
      this.#print(line('✖', 'red', name, `${failed} failed`, milliseconds));
      this.#showOutput();
    }
    this.#output = '';
  }

  #showOutput(): void {
    if (this.#output) this.#print(styleText('dim', indent(tail(this.#output))));
    this.#output = '';
  }

  /** What went wrong and what was skipped, again, where the eye is at the end; last line: the totals. */
  finish(): void {
    if (this.#skips.length > 0) this.#list('yellow', 'Skipped', this.#skips);
    if (this.#failures.length > 0) this.#list('red', 'Failed', this.#failures);
    const { passed, failed, skipped } = this.totals;
    this.#print(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  }

  #list(colour: 'red' | 'yellow', heading: string, entries: readonly string[]): void {
    this.#print(`\n${styleText(colour, heading)}`);
    for (const entry of entries) this.#print(`  ${entry}`);
  }

  #title(event: { file?: string; name: string; nesting: number }): string {
    const file = event.file ? this.#relative(event.file) : '';
    if (event.name === event.file) return file;
    return [file, ...this.#path.slice(0, event.nesting), event.name].filter(Boolean).join(' › ');
  }

  #relative(file: string): string {
    return relative(this.#root, file);
  }
}

/** `node:test` counts a test that ran out of time as cancelled: here it has failed. */
function countsOf(event: EventData.TestSummary): Totals {
  const counts = event.counts as typeof event.counts & { failed: number };
  return {
    passed: counts.passed,
    failed: counts.failed + counts.cancelled,
    skipped: counts.skipped + counts.todo,
  };
}

function describe(error: Error & { failureType?: string; cause?: unknown }): string {
  const cause = error.cause ?? error;
  if (error.failureType === 'testTimeoutFailure') return error.message;
  // It comes from another process, so it is no AssertionError here; its message has the values already.
  if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_ASSERTION') return cause.stack ?? cause.message;
  return cause instanceof Error ? inspect(cause, { colors: false }) : String(cause);
}

function line(mark: string, colour: 'green' | 'red', name: string, count: string, milliseconds: number): string {
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  return `${styleText(colour, mark)} ${name.padEnd(58)} ${count.padStart(9)} ${styleText('dim', seconds.padStart(8))}`;
}

const TAIL = 4000;

function tail(text: string): string {
  return text.length <= TAIL ? text.trimEnd() : `...${text.slice(-TAIL).trimEnd()}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
