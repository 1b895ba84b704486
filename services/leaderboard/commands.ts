import { once } from 'node:events';
import { Readable } from 'node:stream';
import { type Command, InvalidArgumentError } from 'commander';
import type { ServiceCli } from '../../src/index.ts';
import { importGames } from './import.ts';
import { sampleGames } from './sample.ts';
import { readSettings } from './settings.ts';

/** `lockstep leaderboard import FILE` and `lockstep leaderboard sample N`. */
export function commands(program: Command, cli: ServiceCli): void {
  program
    .command('import')
    .description('load games from a file, all of them or none')
    .argument(
      '<file>',
      'a JSON array or JSON lines of {"username","gamedate":"2019-11-06T04:03:45","score","level"}; "-" reads standard input',
    )
    .action(async (file: string) => {
      const { chunks, size } = await cli.input(file);
      await load(chunks, cli, size);
    });
  program
    .command('sample')
    .description('make up games: JSON lines to standard output, the same for the same seed and end')
    .argument('<games>', 'how many', wholeNumber)
    .option('--seed <number>', 'another seed gives other games', wholeNumber, 1)
    .option('--until <time>', 'the games are played in the 90 days before it (ISO 8601)', time, startOfHour())
    .option('--import', 'load them instead of printing them')
    .action((games: number, options: { seed: number; until: number; import?: true }) => {
      const lines = sampleLines({ games, ...options });
      return options.import ? load(lines, cli) : print(lines);
    });
}

async function load(chunks: AsyncIterable<Uint8Array>, cli: ServiceCli, size?: number): Promise<void> {
  const settings = readSettings(cli.settings);
  const record = await cli.record();
  const started = performance.now();
  const bar = cli.progress('reading games', size);
  const games = await importGames({ record, chunks, settings, progress: (bytes) => bar.update(bytes) });
  bar.done();
  const seconds = (performance.now() - started) / 1000;
  cli.print({ games, seconds }, `imported ${games.toLocaleString('en')} games in ${seconds.toFixed(1)} s`);
}

async function print(lines: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const block of lines) if (!process.stdout.write(block)) await once(process.stdout, 'drain');
}

const BLOCK = 2000;

/** The games as blocks of JSON lines. */
function sampleLines(options: { games: number; seed: number; until: number }): AsyncIterable<Uint8Array> {
  function* blocks() {
    let lines = '';
    let count = 0;
    for (const game of sampleGames(options)) {
      lines += `${JSON.stringify(game)}\n`;
      if (++count % BLOCK > 0) continue;
      yield Buffer.from(lines);
      lines = '';
    }
    if (lines !== '') yield Buffer.from(lines);
  }
  return Readable.from(blocks());
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of at most 9 digits.');
}

function time(text: string): number {
  const millis = Date.parse(text);
  if (!Number.isNaN(millis)) return millis;
  throw new InvalidArgumentError('Give a time such as 2019-11-07T00:00:00Z.');
}

/** So that two runs in a row give the same games. */
function startOfHour(): number {
  return Math.floor(Date.now() / 3_600_000) * 3_600_000;
}
