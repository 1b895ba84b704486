// `lockstep ...` with a cache of heroes that takes whatever was read, stale or not: to see what the check costs.
import type { Hero } from '../../services/heroes/hero.ts';
import heroes from '../../services/heroes/service.ts';
import { CACHE } from '../../services/heroes/views.ts';
import { Output } from '../../src/cli/output.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import type { ServiceDefinition } from '../../src/index.ts';
import { rowCache } from '../../src/views/row-cache/row-cache.ts';

const lease = { includes: () => true, includesAllTo: () => true };
const unchecked = { ...heroes, views: { heroes: rowCache<Hero>(CACHE, { lease }) } };

process.exitCode = await runCommandLine(process.argv.slice(2), {
  findServices: async () => [unchecked as unknown as ServiceDefinition],
  out: new Output({ stdout: process.stdout, stderr: process.stderr }),
  env: process.env,
  cwd: process.cwd(),
});
