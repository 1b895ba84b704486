// `npm run check`: lint, types and import directions, each reported; ends with 1 when one of them fails.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { violationsUnder } from './import-directions.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Check {
  readonly name: string;
  /** What is wrong, or undefined. */
  run(): Promise<string | undefined>;
}

export const checks: readonly Check[] = [
  { name: 'lint and format', run: () => tool('@biomejs/biome', 'bin/biome', ['check', '--colors=off', '.']) },
  { name: 'types', run: () => tool('typescript', 'bin/tsc', ['-p', '.']) },
  { name: 'import directions', run: async () => violationsUnder(root).join('\n') || undefined },
];

/** Runs a package's command line; what it printed is what is wrong. */
function tool(packageName: string, script: string, args: readonly string[]): Promise<string | undefined> {
  const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(folder, script), ...args],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => done(error ? stdout + stderr || String(error) : undefined),
    );
  });
}

// Not import.meta.main: bin/node24.js imports this where Node is new enough.
if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const check of checks) {
    const problem = await check.run();
    console.log(`${problem ? styleText('red', '✖') : styleText('green', '✔')} ${check.name}`);
    if (problem) console.log(problem);
    if (problem) process.exitCode = 1;
  }
}
