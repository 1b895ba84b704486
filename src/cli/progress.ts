import { styleText } from 'node:util';
import { count, seconds } from './format.ts';

/** Long work, told while it goes on. */
export interface ProgressLine {
  /** `of` replaces the total known before. */
  update(done: number, of?: number): void;
  /** Ends it; `text` stays on the screen in its place. */
  done(text?: string): void;
}

export interface ProgressOptions {
  readonly label: string;
  readonly of?: number;
  readonly stream: ProgressStream;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

/** What is used of a `tty.WriteStream`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 80;
const LINE_MS = 2000;
const BAR = 24;

/** With `--json`: nothing. */
export const silent: ProgressLine = { update() {}, done() {} };

/** A bar that redraws itself on a terminal; elsewhere a plain line every two seconds at most. */
export function progress(options: ProgressOptions): ProgressLine {
  return options.stream.isTTY ? bar(options) : lines(options);
}

function bar({ label, of: total = 0, stream, now = performance.now.bind(performance) }: ProgressOptions): ProgressLine {
  const began = now();
  let drawn = Number.NEGATIVE_INFINITY;
  const draw = (done: number) => {
    drawn = now();
    stream.write(`\r\x1b[2K${fit(barText({ label, done, total, elapsed: (drawn - began) / 1000 }), stream.columns)}`);
  };
  return {
    update(done, of = total) {
      total = of;
      if (now() - drawn >= REDRAW_MS) draw(done);
    },
    done(text) {
      stream.write('\r\x1b[2K');
      if (text !== undefined) stream.write(`${text}\n`);
    },
  };
}

function lines({
  label,
  of: total = 0,
  stream,
  now = performance.now.bind(performance),
}: ProgressOptions): ProgressLine {
  let told = now();
  return {
    update(done, of = total) {
      total = of;
      if (now() - told < LINE_MS) return;
      told = now();
      stream.write(`${label}: ${amount(done, total)}\n`);
    },
    done(text) {
      if (text !== undefined) stream.write(`${text}\n`);
    },
  };
}

interface BarState {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Seconds. */
  readonly elapsed: number;
}

function barText({ label, done, total, elapsed }: BarState): { text: string; styled: string } {
  const full = total > 0 ? Math.round(Math.min(1, done / total) * BAR) : 0;
  const [left, right] = ['━'.repeat(full), '━'.repeat(BAR - full)];
  const rest = `${amount(done, total)}  ${seconds(elapsed)}`;
  return {
    text: `${label} ${left}${right} ${rest}`,
    styled: `${label} ${styleText('cyan', left)}${styleText('dim', right)} ${rest}`,
  };
}

/** A line longer than the terminal would wrap, and then not be overwritten. */
function fit({ text, styled }: { text: string; styled: string }, columns = 80): string {
  return text.length < columns ? styled : text.slice(0, columns - 1);
}

function amount(done: number, total: number): string {
  if (total <= 0) return count(done);
  return `${Math.floor(Math.min(1, done / total) * 100)} %  ${count(done)} of ${count(Math.max(done, total))}`;
}
