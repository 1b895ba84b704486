import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Part } from '../bench.ts';
import { atMost, type Findings } from '../report/findings.ts';
import { number, percentile } from '../report/statistics.ts';
import { usersOf } from '../servers/arena.ts';
import type { HttpServer } from '../servers/http.ts';
import { startLockstep } from '../servers/lockstep.ts';
import { measure, requestsOf } from './load.ts';

const PROBE = fileURLToPath(new URL('../probe.ts', import.meta.url));
const IDLE_PAUSE_MS = 10;

/** From the moment the server knows that a submission is committed until its boards show it. */
export const visible: Part = {
  name: 'visible',
  title: 'From commit to visible',
  async run(bench: Bench): Promise<Findings> {
    const options = { dataDir: join(bench.directory, 'lockstep'), cwd: bench.directory, command: PROBE };
    const server = await startLockstep({ ...options, users: usersOf(bench) });
    try {
      await measure(bench, server, 'writes', 64);
      const found = new Map<string, number[]>();
      for (const callers of [64, 256]) found.set(`${callers} callers`, await busy(bench, server, callers));
      found.set('one caller, a pause after each', await idle(bench, server));
      return findings(found);
    } finally {
      await server.stop();
    }
  },
};

async function busy(bench: Bench, server: HttpServer, callers: number): Promise<number[]> {
  await sleep(LEFT_OVERS_MS);
  await take(server);
  for (let round = 0; round < bench.rounds; round++) await measure(bench, server, 'writes', callers);
  return take(server);
}

async function idle(bench: Bench, server: HttpServer): Promise<number[]> {
  const { request } = requestsOf(bench, server, 'writes');
  await sleep(LEFT_OVERS_MS);
  await take(server);
  for (let i = 0; i < bench.rounds * 100; i++) {
    const { path, headers, body } = request(i);
    const init = { method: 'POST', body, headers: { ...headers, 'content-type': 'application/json' } };
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    await answer.arrayBuffer();
    await sleep(IDLE_PAUSE_MS);
  }
  return take(server);
}

/** Requests that the load left behind are over by then. */
const LEFT_OVERS_MS = 500;

async function take({ port }: HttpServer): Promise<number[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/leaderboard/commit-to-visible`);
  return ((await answer.json()) as number[]).sort((a, b) => a - b);
}

function findings(found: ReadonlyMap<string, readonly number[]>): Findings {
  const [busy, , idle] = [...found.values()] as [number[], number[], number[]];
  const rows = [...found].map(([name, sorted]) => {
    const shares = [0.5, 0.9, 0.99, 1].map((share) => number(percentile(sorted, share)));
    return [name, number(sorted.length), ...shares];
  });
  return {
    tables: [
      {
        title: 'Milliseconds from commit to visible',
        columns: ['', 'submissions', 'median', '90 %', '99 %', 'most'],
        rows,
        note: 'The clock starts in the server, when PostgreSQL has answered that the submission is committed (`bench/probe.ts`).',
      },
    ],
    targets: [
      atMost('commit to visible, median at 64 callers', 0.3, percentile(busy, 0.5), 'ms'),
      atMost('commit to visible, p99 at 64 callers', 2, percentile(busy, 0.99), 'ms'),
      atMost('commit to visible, median when idle', 0.05, percentile(idle, 0.5), 'ms'),
      atMost('commit to visible, p99 when idle', 0.2, percentile(idle, 0.99), 'ms'),
    ],
  };
}
