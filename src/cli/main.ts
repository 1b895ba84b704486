// The `lockstep` command. Started by bin/lockstep.js.
import './heap.ts'; // first of all
import { services } from '../../services/index.ts';
import { Output } from './output.ts';
import { findServices } from './own-services.ts';
import { runCommandLine } from './program.ts';

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
