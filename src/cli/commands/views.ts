import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { ControlLine } from '../../http/control.ts';
import type { ProjectionStatus, VerifyReport, ViewStatus } from '../../live/live.ts';
import type { ControlClient } from '../control-client.ts';
import { Failed } from '../failure.ts';
import { count, seconds } from '../format.ts';
import type { Output } from '../output.ts';
import type { CommandContext } from '../program.ts';
import type { ProgressLine } from '../progress.ts';
import { table } from '../table.ts';
import { withControl } from '../with-control.ts';

const VIEW = 'the view, as "lockstep status" names it; all unless told';

export function addVerify(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .argument('[view]', VIEW)
    .description('compare views with the record; ends with 1 when they differ, or cannot hold a row')
    .action(async (view?: string) => {
      const reports = await onViews<VerifyReport>(context, '/verify', view);
      context.out.print(reports, reports.map(verifyText).join('\n'));
      if (reports.some(({ drift, fault }) => drift > 0 || fault)) throw new Failed('drift found');
    });
}

export function addRebuild(program: Command, context: CommandContext): void {
  program
    .command('rebuild')
    .argument('[view]', VIEW)
    .description('build views anew from the record while they go on serving')
    .action(async (view?: string) => {
      const statuses = await onViews<ViewStatus | ProjectionStatus>(context, '/rebuild', view);
      context.out.print(statuses, statuses.map(rebuildText).join('\n'));
      if (statuses.some(({ state }) => state === 'broken')) throw new Failed('broken');
    });
}

/** Has `path` done for one view or all, with a bar while it lasts. */
async function onViews<Result>(context: CommandContext, path: string, view: string | undefined): Promise<Result[]> {
  let results: Result[] = [];
  await withControl(context, async (control) => {
    const query = view === undefined ? '' : `?${new URLSearchParams({ view })}`;
    results = (await resultOf(control, path + query, context.out)) as Result[];
  });
  return results;
}

async function resultOf(control: ControlClient, path: string, out: Output): Promise<readonly unknown[]> {
  const bars = new Bars(out);
  try {
    for await (const line of (await control.post<ControlLine>(path)) ?? []) {
      if ('progress' in line) bars.update(line.progress);
      else if ('error' in line) throw new Error(line.error.message);
      else return line.result;
    }
  } finally {
    bars.end();
  }
  throw new Error('the running server ended before it was done');
}

/** One progress line at a time: that of the view worked on. */
class Bars {
  readonly #out: Output;
  #view = '';
  #line: ProgressLine | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  update({ view, rows, of }: { view: string; rows: number; of: number }): void {
    if (view !== this.#view) {
      this.end();
      this.#view = view;
      this.#line = this.#out.progress(view, of);
    }
    this.#line!.update(rows, of);
  }

  end(): void {
    this.#line?.done();
  }
}

export function rebuildText(status: ViewStatus | ProjectionStatus): string {
  const { service, name, position, state, fault } = status;
  if (state === 'broken') return `${styleText('red', '✖')} ${service}/${name}  is broken: ${fault}`;
  const done = 'entries' in status ? `built anew, ${count(status.entries)} entries` : 'reconciled with the record';
  return `${styleText('green', '✔')} ${service}/${name}  ${done}  ${styleText('dim', `at ${position}`)}`;
}

export function verifyText({ view, compared, drift, examples, position, seconds: took, fault }: VerifyReport): string {
  const where = styleText('dim', `at ${position}, ${seconds(took)}`);
  const mark = drift === 0 && !fault ? styleText('green', '✔') : styleText('red', '✖');
  const why = fault ? `\n    ${fault}` : '';
  const line = `${mark} ${view}  ${count(compared)} compared, drift ${count(drift)}  ${where}${why}`;
  if (drift === 0) return line;
  const shown = table(examples, [
    { heading: 'what', of: (each) => each.what },
    { heading: 'in the view', of: (each) => each.inView },
    { heading: 'in the record', of: (each) => each.inRecord },
  ]);
  const more = drift > examples.length ? `\n    and ${count(drift - examples.length)} more` : '';
  return `${line}\n${shown.replaceAll(/^/gm, '    ')}${more}`;
}
