import { once } from 'node:events';
import type { Command } from 'commander';
import type { ServiceCli } from '../../src/index.ts';
import { exportHeroes, importHeroes } from './csv.ts';

/** `lockstep heroes import FILE` and `lockstep heroes export`. */
export function commands(program: Command, cli: ServiceCli): void {
  program
    .command('import')
    .description('load heroes from a CSV file, all of them or none')
    .argument('<file>', 'id,hero,power,name,xp,color with that line first or without; "-" reads standard input')
    .action((file: string) => importFile(file, cli));
  program
    .command('export')
    .description('print all heroes as CSV')
    .action(async () => {
      await exportHeroes(await cli.record(), async (block) => {
        if (!process.stdout.write(block)) await once(process.stdout, 'drain');
      });
    });
}

async function importFile(file: string, cli: ServiceCli): Promise<void> {
  const { chunks, size } = await cli.input(file);
  const record = await cli.record();
  const began = performance.now();
  const bar = cli.progress('reading heroes', size);
  const { value: heroes } = await importHeroes({ record, chunks, progress: (bytes) => bar.update(bytes) });
  bar.done();
  const seconds = (performance.now() - began) / 1000;
  cli.print({ heroes, seconds }, `imported ${heroes.toLocaleString('en')} heroes in ${seconds.toFixed(1)} s`);
}
