import { join } from 'node:path';
import { startEmbedded } from '../../src/record/embedded.ts';
import { silent } from '../../src/record/log.ts';
import { startValkey } from '../../src/testing/valkey.ts';
import type { Bench, Part } from '../bench.ts';
import { atLeast, type Findings, type Table } from '../report/findings.ts';
import { median, number, spread } from '../report/statistics.ts';
import { usersOf } from '../servers/arena.ts';
import type { HttpServer } from '../servers/http.ts';
import { startLockstep } from '../servers/lockstep.ts';
import { NaiveTokens, startNaive } from '../servers/naive.ts';
import { startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';
import { seedNaive } from './games.ts';
import { type Kind, measure } from './load.ts';
import { ratio, tableOf, takeTurns } from './rounds.ts';

const CALLERS = 64;
const COUNTS = [1, 2, 4];
/** The naive way's best at writes, as part `writes` finds it. */
const NAIVE = { framework: 'fastify', client: 'ioredis', commands: 'pipeline', tokens: 'cached' } as const;

/** Many nodes on one PostgreSQL and one store, and one of them against the naive way, which has a store too. */
export const nodes: Part = {
  name: 'nodes',
  title: 'Nodes on one PostgreSQL and one store',
  async run(bench: Bench): Promise<Findings> {
    await using stack = new AsyncDisposableStack();
    const running = await startNodes(bench, stack, Math.max(...COUNTS));
    const rows: string[][] = [];
    for (const kind of ['writes', 'reads'] as const) {
      for (const count of COUNTS) rows.push(await together(bench, kind, running.slice(0, count)));
    }
    const columns = ['', 'requests/s: median (min - max)', 'p99 ms, of the slowest node'];
    const note = `${CALLERS} callers in all, spread over the nodes; nodes, PostgreSQL, the store and the callers share the machine's processors.`;
    const scaling: Table = { title: 'With 1, 2 and 4 nodes', columns, rows, note };
    const naive = await startNaiveWay(bench, stack);
    const contest = await takeTurns(bench, [running[0]!, naive], { kind: 'writes', callers: CALLERS });
    return {
      tables: [scaling, tableOf(contest, `writes at ${CALLERS} callers, one node with its views in the store`)],
      targets: [
        atLeast('writes with the views in the store, times the naive way', 3, ratio(contest, running[0]!, naive)),
      ],
    };
  },
};

async function startNodes(bench: Bench, stack: AsyncDisposableStack, count: number): Promise<HttpServer[]> {
  const { directory } = bench;
  bench.say(`starting PostgreSQL, a store and ${count} nodes`);
  const postgres = await startEmbedded({ dataDir: join(directory, 'nodes'), log: silent });
  stack.defer(() => postgres.stop());
  const store = await startValkey();
  stack.defer(() => store.stop());
  const env = {
    DATABASE_URL: postgres.url,
    VALKEY_URL: store.url,
    LOCKSTEP_PUBLIC_URL: 'http://localhost',
    LOCKSTEP_RATE_LIMIT: '0',
  };
  const running: HttpServer[] = [];
  for (let i = 0; i < count; i++) {
    const users = i === 0 ? usersOf(bench) : [];
    const options = { dataDir: join(directory, `node${i}`), cwd: directory, only: 'leaderboard', env, users };
    const node = await startLockstep(options);
    stack.defer(() => node.stop());
    running.push({ ...node, name: `Lockstep, node ${i + 1}`, tokenOf: running[0]?.tokenOf ?? node.tokenOf });
  }
  return running;
}

async function startNaiveWay(bench: Bench, stack: AsyncDisposableStack): Promise<HttpServer> {
  const { directory } = bench;
  const postgres = await startPostgres(directory);
  stack.defer(() => postgres.stop());
  const redis = await startRedis(join(directory, 'redis'));
  stack.defer(() => redis.stop());
  await seedNaive({ databaseUrl: postgres.url, redisPath: redis.path, games: 1000 });
  const ground = { databaseUrl: postgres.url, redisPath: redis.path, cwd: directory };
  const naive = await startNaive(NAIVE, ground, await NaiveTokens.make(usersOf(bench)));
  stack.defer(() => naive.stop());
  return naive;
}

/** All nodes at once; a row of the table. */
async function together(bench: Bench, kind: Kind, running: readonly HttpServer[]): Promise<string[]> {
  const rates: number[] = [];
  const slowest: number[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`  ${kind}, ${running.length} nodes, round ${round} of ${bench.rounds}`);
    const callers = CALLERS / running.length;
    const samples = await Promise.all(running.map((node) => measure(bench, node, kind, callers)));
    rates.push(samples.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0));
    slowest.push(Math.max(...samples.map(({ latency }) => latency.p99)));
  }
  return [`${kind}, ${running.length} node${running.length > 1 ? 's' : ''}`, spread(rates), number(median(slowest))];
}
