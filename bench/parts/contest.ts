import type { Bench } from '../bench.ts';
import type { Table } from '../report/findings.ts';
import { type Arena, openArena } from '../servers/arena.ts';
import { startCeiling } from '../servers/ceiling.ts';
import type { HttpServer } from '../servers/http.ts';
import { type Kind, requestsOf } from './load.ts';
import { bestOf, type Rounds, ratio, tableOf, takeTurns } from './rounds.ts';
import { screen } from './screening.ts';

/** Lockstep against the best naive servers and the ceiling. */
export interface Contest {
  readonly callers: number;
  readonly tables: readonly Table[];
  /** How many times the best naive server's rate Lockstep's is. */
  readonly timesNaive: number;
  /** The same of the ceiling's. */
  readonly timesCeiling: number;
}

/** One contest for each number of callers. */
export async function compete(bench: Bench, kind: Kind, callers: readonly number[]): Promise<Contest[]> {
  await using arena = await openArena(bench);
  bench.say('screening the naive variants');
  const { finalists, table } = await screen(bench, arena, kind);
  await using stack = new AsyncDisposableStack();
  const use = async (starting: Promise<HttpServer>) => {
    const server = await starting;
    stack.defer(() => server.stop());
    return server;
  };
  const ceiling = await use(startCeiling({ ...(await answerSizes(bench, arena)), cwd: bench.directory }));
  const naive: HttpServer[] = [];
  for (const variant of finalists) naive.push(await use(arena.naive(variant)));
  const contests: Contest[] = [];
  for (const each of callers) {
    const rounds = await takeTurns(bench, [arena.lockstep, ...naive, ceiling], { kind, callers: each });
    contests.push(contestOf(rounds, arena.lockstep, naive, ceiling));
  }
  return contests.map((contest, i) => (i === 0 ? { ...contest, tables: [table, ...contest.tables] } : contest));
}

function contestOf(rounds: Rounds, lockstep: HttpServer, naive: readonly HttpServer[], ceiling: HttpServer): Contest {
  const { callers, kind } = rounds;
  const best = bestOf(rounds, naive);
  return {
    callers,
    tables: [tableOf(rounds, `${kind} at ${callers} callers`)],
    timesNaive: ratio(rounds, lockstep, best),
    timesCeiling: ratio(rounds, lockstep, ceiling),
  };
}

/** Bytes of Lockstep's answers. */
async function answerSizes(bench: Bench, { lockstep }: Arena): Promise<{ writeBytes: number; readBytes: number }> {
  const sizeOf = async (kind: Kind) => {
    const { path, headers, body } = requestsOf(bench, lockstep, kind).request(0);
    const init = body === undefined ? {} : { method: 'POST', body, headers: { ...headers, 'content-type': JSON_TYPE } };
    const answer = await fetch(`http://127.0.0.1:${lockstep.port}${path}`, init);
    return (await answer.arrayBuffer()).byteLength;
  };
  return { writeBytes: bench.users > 0 ? await sizeOf('writes') : 0, readBytes: await sizeOf('reads') };
}

const JSON_TYPE = 'application/json';
