// The `lockstep` command. Started by bin/lockstep.js.
import { services } from '../../services/index.ts';
import { Output } from './output.ts';
import { runCommandLine } from './program.ts';

const out = new Output({ stdout: process.stdout, stderr: process.stderr });
process.exitCode = await runCommandLine(process.argv.slice(2), { services, out, env: process.env, cwd: process.cwd() });
