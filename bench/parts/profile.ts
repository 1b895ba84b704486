import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Part } from '../bench.ts';
import type { Findings, Table } from '../report/findings.ts';
import { number } from '../report/statistics.ts';
import { openLockstep, usersOf } from '../servers/arena.ts';
import type { LockstepServer } from '../servers/lockstep.ts';
import { type CpuProfile, type SelfTime, type Span, selfTimes } from './cpu-profile.ts';
import { type Kind, measure } from './load.ts';

const CALLERS = 64;
const TOP = 25;

interface Profiled {
  readonly kind: Kind;
  readonly span: Span;
  readonly requests: number;
}

/** Where Lockstep's process spends its time: a processor profile under submissions, then under reads. */
export const profile: Part = {
  name: 'profile',
  title: 'Where the time goes',
  async run(bench: Bench): Promise<Findings> {
    const folder = join(bench.directory, 'profiles');
    const nodeArgs = ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${folder}`];
    const server = await openLockstep(bench, usersOf(bench), nodeArgs);
    const profiled: Profiled[] = [];
    try {
      for (const kind of ['writes', 'reads'] as const) profiled.push(await profileOf(bench, server, kind));
    } finally {
      await server.stop();
    }
    const found = readProfile(folder);
    return { tables: profiled.flatMap((each) => tablesOf(each, selfTimes(found, each.span))), targets: [] };
  },
};

/** The times of profiles are those of the monotonic clock, in microseconds. */
async function profileOf(bench: Bench, server: LockstepServer, kind: Kind): Promise<Profiled> {
  await measure({ ...bench, seconds: 2 }, server, kind, CALLERS);
  const from = Number(process.hrtime.bigint() / 1000n);
  const { requests } = await measure({ ...bench, seconds: 4, warmupSeconds: 0 }, server, kind, CALLERS);
  return { kind, requests, span: { from, to: Number(process.hrtime.bigint() / 1000n) } };
}

function readProfile(folder: string): CpuProfile {
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  // The main thread's is the one with the most samples.
  const [longest] = files.sort((a, b) => b.length - a.length);
  return JSON.parse(longest!) as CpuProfile;
}

function tablesOf({ kind, requests }: Profiled, times: readonly SelfTime[]): Table[] {
  const total = times.reduce((sum, { micros }) => sum + micros, 0);
  const share = (micros: number) => `${((100 * micros) / total).toFixed(1)} %`;
  const areas = Map.groupBy(times, ({ area }) => area);
  const byArea = [...areas].map(([area, of]) => [area, of.reduce((sum, { micros }) => sum + micros, 0)] as const);
  const one = kind === 'writes' ? 'a submission' : 'a read';
  const columns = [`us ${one}`, 'share'];
  return [
    {
      title: `${kind} at ${CALLERS} callers, by area`,
      columns: ['area', ...columns],
      rows: byArea
        .sort(([, a], [, b]) => b - a)
        .map(([area, micros]) => [area, number(micros / requests), share(micros)]),
      note: 'Time in the functions themselves (`--cpu-prof`, 200 us), of the main thread. Idle is waiting, for PostgreSQL or for requests.',
    },
    {
      title: `${kind} at ${CALLERS} callers, the costliest functions`,
      columns: ['function', ...columns],
      rows: times.slice(0, TOP).map(({ name, micros }) => [name, number(micros / requests), share(micros)]),
    },
  ];
}
