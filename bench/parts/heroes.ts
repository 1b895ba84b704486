import type { Bench, Part } from '../bench.ts';
import { atLeast, atMost, type Findings, type Table } from '../report/findings.ts';
import { number } from '../report/statistics.ts';
import { HEROES, type HeroArena, openHeroArena } from '../servers/heroes.ts';
import type { HttpServer } from '../servers/http.ts';
import { measureRequests, type Requests } from './load.ts';
import { type Rounds, ratio, tableOf, takeTurnsWith } from './rounds.ts';

const CALLERS = 64;
const STAMPEDE = 1000;

/** Reads of rows with the cache and without. */
export const heroes: Part = {
  name: 'heroes',
  title: 'A cached table',
  async run(bench: Bench): Promise<Findings> {
    await using arena = await openHeroArena(bench);
    const { lockstep, cacheAside, bento, unchecked } = arena;
    const stampede = await stampedes(arena);
    const rivals = [lockstep, cacheAside, bento];
    for (const server of [...rivals, unchecked]) await warm(bench, server);
    const ceiling = await arena.ceiling(await answerBytes(lockstep, 1));
    const ceiling10 = await arena.ceiling(await answerBytes(lockstep, 10));
    const one = await reads(bench, [...rivals, ceiling], { ids: 1, cache: true });
    const ten = await reads(bench, [...rivals, ceiling10], { ids: 10, cache: true });
    const oneUncached = await reads(bench, [lockstep, cacheAside], { ids: 1, cache: false });
    const tenUncached = await reads(bench, [lockstep, cacheAside, unchecked], { ids: 10, cache: false });
    const tables = [one, ten, oneUncached, tenUncached].map((rounds) =>
      tableOf(rounds, `${rounds.kind}, ${CALLERS} callers`),
    );
    return {
      tables: [...tables, stampede.table],
      targets: [
        atLeast('cached reads of 1 id, times the ceiling', 0.9, ratio(one, lockstep, ceiling)),
        atLeast('cached reads of 10 ids, times the ceiling', 0.9, ratio(ten, lockstep, ceiling10)),
        atLeast('cached reads of 1 id, times cache-aside', 3, ratio(one, lockstep, cacheAside)),
        atLeast('cached reads of 10 ids, times cache-aside', 3, ratio(ten, lockstep, cacheAside)),
        atLeast('uncached reads of 10 ids, times a query a request', 3, ratio(tenUncached, lockstep, cacheAside)),
        atLeast('reads with the check, times those without it', 0.95, ratio(tenUncached, lockstep, unchecked)),
        atMost(`queries for ${STAMPEDE} concurrent misses of one key`, 1, stampede.queries),
      ],
    };
  },
};

interface Kind {
  readonly ids: number;
  readonly cache: boolean;
}

function requestsFor({ ids, cache }: Kind): Requests {
  const path = () => `/heroes?ids=${Array.from({ length: ids }, randomId).join()}${cache ? '' : '&cache=false'}`;
  const name = `${cache ? 'cached' : 'uncached'} reads of ${ids}`;
  return { name, callers: CALLERS, distinct: 4096, request: () => ({ path: path() }) };
}

function reads(bench: Bench, servers: readonly HttpServer[], kind: Kind): Promise<Rounds> {
  return takeTurnsWith(bench, servers, () => requestsFor(kind));
}

function randomId(): number {
  return 1 + Math.floor(Math.random() * HEROES);
}

/** Every hero is asked for once, so that the caches hold them all. */
async function warm(bench: Bench, server: HttpServer): Promise<void> {
  const request = (i: number) => ({
    path: `/heroes?ids=${Array.from({ length: 10 }, (_, n) => 1 + ((i * 10 + n) % HEROES)).join()}`,
  });
  const brief = { seconds: bench.seconds, warmupSeconds: 0 };
  await measureRequests(brief, server, { name: 'warming', callers: CALLERS, distinct: HEROES / 10, request });
}

async function answerBytes(server: HttpServer, ids: number): Promise<number> {
  const answer = await get(server, requestsFor({ ids, cache: true }).request(0).path);
  return (await answer.arrayBuffer()).byteLength;
}

/** Each server is asked for one row by a thousand callers at once, and tells its queries. */
async function stampedes({ lockstep, cacheAside, bento }: HeroArena): Promise<{ table: Table; queries: number }> {
  const rows: string[][] = [];
  let own = 0;
  for (const server of [lockstep, cacheAside, bento]) {
    const before = await queriesOf(server);
    const answers = await Promise.all(Array.from({ length: STAMPEDE }, () => get(server, '/heroes?ids=4711')));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    const queries = (await queriesOf(server)) - before;
    if (server === lockstep) own = queries;
    rows.push([server.name, number(queries)]);
  }
  const columns = ['', 'queries'];
  return {
    table: { title: `${STAMPEDE} callers at once ask for a row that is in no cache`, columns, rows },
    queries: own,
  };
}

async function queriesOf(server: HttpServer): Promise<number> {
  const path = server.name.startsWith('Lockstep') ? '/heroes/cache' : '/queries';
  return ((await (await get(server, path)).json()) as { queries: number }).queries;
}

async function get({ name, port }: HttpServer, path: string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  if (!answer.ok) throw new Error(`${name} ${path}: ${answer.status}`);
  return answer;
}
