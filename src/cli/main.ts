// The `lockstep` command. Started by bin/lockstep.js.
import { services } from '../../services/index.ts';
import { Output } from './output.ts';
import { runCommandLine } from './program.ts';

// `lockstep ... | head`: nobody reads on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const out = new Output({ stdout: process.stdout, stderr: process.stderr });
const code = await runCommandLine(process.argv.slice(2), { services, out, env: process.env, cwd: process.cwd() });
process.stdout.write('', () => process.exit(code));
