import type { Bench, Part } from '../bench.ts';
import { allVariants } from '../naive/variant.ts';
import type { Findings } from '../report/findings.ts';
import { median, number, spread } from '../report/statistics.ts';
import { openArena } from '../servers/arena.ts';
import type { HttpServer } from '../servers/http.ts';
import { measure, type Sample } from './load.ts';

const CALLERS = 32;

/** Reads of the boards while they change all the time: no answer can be kept. */
export const mixed: Part = {
  name: 'mixed',
  title: 'Reads and submissions at once',
  async run(bench: Bench): Promise<Findings> {
    await using arena = await openArena(bench);
    await using stack = new AsyncDisposableStack();
    const servers: HttpServer[] = [arena.lockstep];
    for (const variant of allVariants()) {
      if (variant.framework !== 'fastify' || variant.commands !== 'pipeline' || variant.tokens !== 'cached') continue;
      const server = await arena.naive(variant);
      stack.defer(() => server.stop());
      servers.push(server);
    }
    const samples = new Map(servers.map((server) => [server, [] as (readonly [Sample, Sample])[]]));
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`  mixed, round ${round} of ${bench.rounds}`);
      for (const server of servers) samples.get(server)!.push(await measureBoth(bench, server));
    }
    return { tables: [tableOf(samples)], targets: [] };
  },
};

function measureBoth(bench: Bench, server: HttpServer): Promise<readonly [Sample, Sample]> {
  return Promise.all([measure(bench, server, 'writes', CALLERS), measure(bench, server, 'reads', CALLERS)]);
}

function tableOf(samples: ReadonlyMap<HttpServer, readonly (readonly [Sample, Sample])[]>) {
  const rows = [...samples].map(([server, rounds]) => {
    const [writes, reads] = [rounds.map(([each]) => each), rounds.map(([, each]) => each)];
    const rate = (kind: readonly Sample[]) => spread(kind.map((sample) => sample.requestsPerSecond));
    const p99 = (kind: readonly Sample[]) => number(median(kind.map((sample) => sample.latency.p99)));
    return [server.name, rate(writes), p99(writes), rate(reads), p99(reads)];
  });
  return {
    title: `${CALLERS} callers who submit and ${CALLERS} who read`,
    columns: ['', 'writes/s: median (min - max)', 'p99 ms', 'reads/s: median (min - max)', 'p99 ms'],
    rows,
    note: 'Two load generators share the machine with the servers: compare columns, not with the other tables.',
  };
}
