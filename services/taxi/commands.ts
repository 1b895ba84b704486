import { type Command, InvalidArgumentError } from 'commander';
import type { ServiceCli } from '../../src/index.ts';
import { bill } from './billing.ts';
import { simulate } from './simulate.ts';

/** `lockstep taxi bill | retry | simulate`. */
export function commands(program: Command, cli: ServiceCli): void {
  program
    .command('bill')
    .description('bill and pay every completed trip that is not billed yet')
    .action(async () => {
      const report = await bill(await (await cli.projection('rides')).target());
      const { trips, drivers, billed, paid } = report;
      cli.print(
        report,
        trips === 0 ? 'nothing to bill' : `billed ${trips} trips of ${drivers} drivers: $${billed}, paid $${paid}`,
      );
    });
  program
    .command('retry')
    .description('project the dead letters again')
    .action(async () => {
      const report = await (await cli.projection('rides')).retry();
      cli.print(report, `${report.projected} projected, ${report.failed} still dead letters`);
    });
  program
    .command('simulate')
    .description('book realistic trips and take them through their states')
    .option('--trips <number>', 'how many', wholeNumber, 1000)
    .option('--rate <number>', 'bookings a second', wholeNumber, 200)
    .option('--trip-seconds <number>', 'how long a trip takes, about', wholeNumber, 4)
    .action(async ({ trips, rate, tripSeconds }: { trips: number; rate: number; tripSeconds: number }) => {
      const record = await cli.record();
      const bar = cli.progress('trips', trips);
      const options = { record, trips, rate: Math.max(1, rate), tripMs: tripSeconds * 1000 };
      const report = await simulate({ ...options, progress: (done) => bar.update(done) });
      bar.done();
      const { completed, cancelled, seconds } = report;
      cli.print(report, `${completed} trips completed, ${cancelled} cancelled in ${seconds.toFixed(1)} s`);
    });
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of at most 9 digits.');
}
