import type { Bench } from '../bench.ts';
import { type LoadOptions, type LoadResult, load } from '../load.ts';
import { usersOf } from '../servers/arena.ts';
import type { HttpServer } from '../servers/http.ts';

/** One measurement of a server. */
export interface Sample extends LoadResult {
  /** Of the server's own process, without its database: microseconds of processor time for each request. */
  readonly cpuMicros: number;
}

export type Kind = 'writes' | 'reads';

/** Keeps `callers` busy with submissions of signed-in users, or with reads of today's three boards. Fails unless all answers are 200. */
export function measure(bench: Bench, server: HttpServer, kind: Kind, callers: number): Promise<Sample> {
  return measureRequests(bench, server, { name: kind, callers, ...requestsOf(bench, server, kind) });
}

export interface Requests extends Pick<LoadOptions, 'distinct' | 'request'> {
  readonly name: string;
  readonly callers: number;
}

/** Keeps callers busy with requests. Fails unless all answers are 200. */
export async function measureRequests(
  { seconds, warmupSeconds }: Pick<Bench, 'seconds' | 'warmupSeconds'>,
  server: HttpServer,
  { name, callers, ...requests }: Requests,
): Promise<Sample> {
  const before = server.cpuSeconds();
  const result = await load({ port: server.port, connections: callers, seconds, warmupSeconds, ...requests });
  const cpuSeconds = (server.cpuSeconds() - before) * (seconds / (seconds + warmupSeconds));
  const { 200: good = 0 } = result.statuses;
  if (good !== result.requests) throw new Error(`${server.name}, ${name}: ${JSON.stringify(result.statuses)}`);
  return { ...result, cpuMicros: (cpuSeconds * 1e6) / result.requests };
}

/** The requests that the load sends round and round. */
export function requestsOf(bench: Bench, server: HttpServer, kind: Kind): Pick<LoadOptions, 'distinct' | 'request'> {
  return kind === 'writes' ? submissions(bench, server) : boardReads();
}

/** Callers are spread over the users; levels and scores are spread as in the sample games. */
function submissions(bench: Bench, server: HttpServer) {
  const users = usersOf(bench);
  return {
    distinct: 8192,
    request(i: number) {
      const user = users[i % users.length]!;
      const body = JSON.stringify({ level: 1 + (i % 100), score: (i * 7919) % 13_500 });
      return { path: `/leaderboard/users/${user}`, headers: { authorization: server.tokenOf(user) }, body };
    },
  };
}

function boardReads() {
  const path = `/leaderboard/scores/${today()}?limit=5`;
  return { distinct: 1, request: () => ({ path }) };
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
