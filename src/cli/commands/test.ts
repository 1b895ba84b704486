import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import type { Command } from 'commander';
import { Failed } from '../failure.ts';
import type { CommandContext } from '../program.ts';

export function addTest(program: Command, { cwd }: CommandContext): void {
  program
    .command('test')
    .argument('[services...]', 'only these; all in services/ unless told')
    .description('run the tests of your own services, on a database of their own')
    .action(async (services: string[]) => {
      const folders = services.length > 0 ? services : ['*'];
      const files = folders.flatMap((folder) => globSync(`services/${folder}/**/*.test.{ts,js}`, { cwd }));
      if (files.length === 0) throw new Error(`no test under services/ in ${cwd}; "lockstep new" writes one`);
      const child = spawn(process.execPath, ['--test', ...files], { stdio: 'inherit', cwd });
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', resolve);
      });
      if (code !== 0) throw new Failed('test');
    });
}
