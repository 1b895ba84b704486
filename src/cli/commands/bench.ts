import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { Failed } from '../failure.ts';
import type { CommandContext } from '../program.ts';

const script = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url));

export function addBench(program: Command, context: CommandContext): void {
  program
    .command('bench')
    .argument('[what...]', 'only these measurements; all unless told')
    .description('measure this machine against the naive way (from a clone of the repository)')
    .action(async (what: string[]) => {
      if (!existsSync(script))
        throw new Error('the benchmark is not part of the installed package; run it from a clone');
      const args = context.out.json ? ['--json', ...what] : what;
      const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', cwd: context.cwd });
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', resolve);
      });
      if (code !== 0) throw new Failed('bench');
    });
}
