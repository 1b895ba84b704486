// The `lockstep` command. Started by bin/lockstep.js.
import './heap.ts';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Halves the time to load: types are erased and functions compiled once, not at each start.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/lockstep', import.meta.url)));
const [{ services }, { Output }, { findServices }, { runCommandLine }] = await Promise.all([
  import('../../services/index.ts'),
  import('./output.ts'),
  import('./own-services.ts'),
  import('./program.ts'),
]);

// `lockstep ... | head`: nobody reads on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const out = new Output({ stdout: process.stdout, stderr: process.stderr });
const cwd = process.cwd();
const code = await runCommandLine(process.argv.slice(2), {
  findServices: () => findServices(cwd, services),
  out,
  env: process.env,
  cwd,
});
process.stdout.write('', () => process.exit(code));
