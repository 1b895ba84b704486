import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { VerifyReport } from '../../live/live.ts';
import { Failed } from '../failure.ts';
import { count, plural, seconds } from '../format.ts';
import type { Output } from '../output.ts';
import type { CommandContext } from '../program.ts';
import type { ProgressLine } from '../progress.ts';
import { table } from '../table.ts';
import type { RebuildReport, Target, ViewProgress } from '../target.ts';
import { withTarget } from '../with-target.ts';

export function addVerify(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .argument('[view]', 'the view, as "lockstep status" names it; all unless told')
    .description('compare views with the record; ends with 1 when they differ')
    .action(async (view?: string) => {
      const reports = await work(context, (target, progress) => target.verify(view, progress), verifyText);
      if (reports.some((report) => report.drift > 0)) throw new Failed('drift');
    });
}

export function addRebuild(program: Command, context: CommandContext): void {
  program
    .command('rebuild')
    .argument('[view]', 'the view, as "lockstep status" names it; all unless told')
    .description('build views anew from the record while they go on serving')
    .action(async (view?: string) => {
      await work(context, (target, progress) => target.rebuild(view, progress), rebuildText);
    });
}

type Work<Report> = (target: Target, progress: ViewProgress) => AsyncIterable<Report>;

/** Does the work view by view: a bar while it lasts, a line when it is done; with `--json` one array at the end. */
async function work<Report extends { view: string }>(
  { out, ...context }: CommandContext,
  run: Work<Report>,
  text: (report: Report) => string,
): Promise<Report[]> {
  const reports: Report[] = [];
  const bars = new Bars(out);
  await withTarget(await context.config(), { out, ...context }, async (target) => {
    for await (const report of run(target, bars.update)) {
      reports.push(report);
      bars.done(report.view);
      if (!out.json) out.print(report, text(report));
    }
  });
  if (out.json) out.print(reports, '');
  return reports;
}

/** One progress line at a time: that of the view worked on. */
class Bars {
  readonly #out: Output;
  #line: { view: string; progress: ProgressLine } | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  readonly update: ViewProgress = (view, rows, of) => {
    if (this.#line?.view !== view) {
      this.#line?.progress.done();
      this.#line = { view, progress: this.#out.progress(view, of) };
    }
    this.#line.progress.update(rows, of);
  };

  done(view: string): void {
    if (this.#line?.view === view) this.#line.progress.done();
    this.#line = undefined;
  }
}

function rebuildText(report: RebuildReport): string {
  return `${styleText('green', '✔')} ${report.view}  ${plural(report.entries, 'entry').replace('entrys', 'entries')} in ${seconds(report.seconds)}`;
}

function verifyText(report: VerifyReport): string {
  const { view, compared, drift, examples } = report;
  const where = styleText('dim', `at ${report.position}, ${seconds(report.seconds)}`);
  if (drift === 0) return `${styleText('green', '✔')} ${view}  ${count(compared)} compared, drift 0  ${where}`;
  const shown = table(examples, [
    { heading: 'what', of: (each) => each.what },
    { heading: 'in the view', of: (each) => each.inView },
    { heading: 'in the record', of: (each) => each.inRecord },
  ]);
  const more = drift > examples.length ? `\n    and ${count(drift - examples.length)} more` : '';
  return `${styleText('red', '✖')} ${view}  ${count(compared)} compared, drift ${count(drift)}  ${where}\n${shown.replaceAll(/^/gm, '    ')}${more}`;
}
