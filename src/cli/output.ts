import { type ProgressLine, type ProgressStream, progress, silent } from './progress.ts';

interface Writable {
  write(text: string): unknown;
}

/** Where a command's results and news go: results to stdout, everything else to stderr, so that results can be piped. */
export class Output {
  readonly #stdout: Writable;
  readonly #stderr: ProgressStream;
  /** Results as JSON, and no news. Set once the command line is read. */
  json = false;

  constructor(options: { stdout: Writable; stderr: ProgressStream }) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
  }

  /** Prints a result: `value` as JSON with `--json`, otherwise `text`. */
  print(value: unknown, text: string): void {
    this.#stdout.write(this.json ? `${JSON.stringify(value, undefined, 2)}\n` : `${text}\n`);
  }

  /** Tells the story of a command that has no result; nothing with `--json`. */
  say(text: string): void {
    if (!this.json) this.#stdout.write(`${text}\n`);
  }

  /** Says what is going on, beside the result. */
  note(text: string): void {
    if (!this.json) this.#stderr.write(`${text}\n`);
  }

  error(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  progress(label: string, of?: number): ProgressLine {
    return this.json ? silent : progress({ label, of, stream: this.#stderr });
  }
}
