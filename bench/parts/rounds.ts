import type { Bench } from '../bench.ts';
import type { Table } from '../report/findings.ts';
import { median, medianRatio, number, spread } from '../report/statistics.ts';
import type { HttpServer } from '../servers/http.ts';
import type { Kind } from './load.ts';
import { measureRequests, type Requests, requestsOf, type Sample } from './load.ts';

/** What each server did in each round. */
export interface Rounds {
  readonly kind: string;
  readonly callers: number;
  readonly samples: ReadonlyMap<HttpServer, readonly Sample[]>;
}

/** The servers take turns, each once a round: what else happens on the machine meets all of them. */
export async function takeTurns(
  bench: Bench,
  servers: readonly HttpServer[],
  { kind, callers }: { kind: Kind; callers: number },
): Promise<Rounds> {
  return takeTurnsWith(bench, servers, (server) => ({ name: kind, callers, ...requestsOf(bench, server, kind) }));
}

/** The same with other requests than submissions and reads of boards. */
export async function takeTurnsWith(
  bench: Bench,
  servers: readonly HttpServer[],
  requestsFor: (server: HttpServer) => Requests,
): Promise<Rounds> {
  const { name: kind, callers } = requestsFor(servers[0]!);
  const samples = new Map(servers.map((server) => [server, [] as Sample[]]));
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`  ${kind}, ${callers} callers, round ${round} of ${bench.rounds}`);
    for (const server of servers) samples.get(server)!.push(await measureRequests(bench, server, requestsFor(server)));
  }
  return { kind, callers, samples };
}

export function ratesOf({ samples }: Rounds, server: HttpServer): number[] {
  return samples.get(server)!.map((sample) => sample.requestsPerSecond);
}

/** Of `servers` the one with the highest median. */
export function bestOf(rounds: Rounds, servers: readonly HttpServer[]): HttpServer {
  return servers.reduce((best, server) =>
    median(ratesOf(rounds, server)) > median(ratesOf(rounds, best)) ? server : best,
  );
}

/** How many times `other`'s rate `server`'s is: the median over the rounds. */
export function ratio(rounds: Rounds, server: HttpServer, other: HttpServer): number {
  return medianRatio(ratesOf(rounds, server), ratesOf(rounds, other));
}

export function tableOf(rounds: Rounds, title: string): Table {
  const [first] = rounds.samples.keys();
  const rows = [...rounds.samples].map(([server, samples]) => {
    const of = (pick: (sample: Sample) => number) => samples.map(pick);
    const rates = spread(ratesOf(rounds, server));
    const times = [of((sample) => sample.latency.p50), of((sample) => sample.latency.p99), of((s) => s.cpuMicros)];
    const share = server === first ? '1' : number(ratio(rounds, first!, server));
    return [server.name, rates, ...times.map((values) => number(median(values))), share];
  });
  const columns = [
    '',
    `${rounds.kind}/s: median (min - max)`,
    'p50 ms',
    'p99 ms',
    'CPU us each',
    `${first!.name} is times`,
  ];
  return { title, columns, rows };
}
