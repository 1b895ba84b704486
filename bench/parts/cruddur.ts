import type { Bench, Part } from '../bench.ts';
import { deliver, type Pair, Receivers } from '../cruddur/delivery.ts';
import { type CruddurServer, startConstants, startCruddur, startSql } from '../cruddur/servers.ts';
import { type LoadRequest, load } from '../load.ts';
import { atLeast, atMost, type Findings, type Table, type Target } from '../report/findings.ts';
import { median, medianRatio, number, percentile, spread } from '../report/statistics.ts';
import type { HttpServer } from '../servers/http.ts';
import type { Sample } from './load.ts';

const CALLERS = 64;
const HOME = '/cruddur/api/activities/home';
const GROUPS = '/cruddur/api/message_groups';

/** Reads of the feed and of conversation lists, posts, and messages until they are on the other's socket. */
export const cruddur: Part = {
  name: 'cruddur',
  title: 'Social feed and direct messages',
  async run(bench: Bench): Promise<Findings> {
    await using stack = new AsyncDisposableStack();
    const use = async <S extends HttpServer>(starting: Promise<S>): Promise<S> => {
      const server = await starting;
      stack.defer(() => server.stop());
      return server;
    };
    const users = Array.from({ length: Math.min(64, bench.users) }, (_, i) => `bench-user${i}`);
    const [messages, activities] = bench.quick ? [100_000, 10_000] : [10_000_000, 1_000_000];
    bench.say(`seeding ${number(messages)} messages and ${number(activities)} posts`);
    const large = await use(
      startCruddur(bench, { name: `Lockstep, ${number(messages)} messages`, users, messages, activities }),
    );
    const small = await use(
      startCruddur(bench, { name: 'Lockstep, 1,000 messages', users, messages: 1000, activities: 100 }),
    );
    const sql = await use(startSql(bench, large, numbersOf(users)));
    const constants = await use(startConstants(bench, await sizesOf(large, users)));
    const reads = [large, small, sql, constants];
    const home = await contest(bench, reads, 'home feed', () => ({ path: HOME }));
    const groups = await contest(bench, reads, 'conversation list', (server, i) => ({
      path: GROUPS,
      headers: { authorization: server.tokenOf(users[i % users.length]!) },
    }));
    const pairs = await pairsOf(large, users);
    const posts = await contest(bench, [large, sql], 'posts', (server, i) => ({
      path: '/cruddur/api/activities',
      headers: { authorization: server.tokenOf(users[i % users.length]!) },
      body: JSON.stringify({ message: `Post ${i} of the benchmark`, ttl: '7-days' }),
    }));
    const delivered = await messagesContest(bench, large, sql, pairs);
    return {
      tables: [home.table, groups.table, posts.table, ...delivered.tables],
      targets: [...readTargets(home, reads), ...readTargets(groups, reads), ...delivered.targets],
    };
  },
};

interface Contest {
  readonly name: string;
  readonly rates: ReadonlyMap<HttpServer, readonly number[]>;
  readonly table: Table;
}

/** The servers take turns, each once a round: what else happens on the machine meets all of them. */
async function contest(
  bench: Bench,
  servers: readonly HttpServer[],
  name: string,
  request: (server: HttpServer, i: number) => LoadRequest,
): Promise<Contest> {
  const results = new Map(servers.map((server) => [server, [] as Sample[]]));
  for (let round = 1; round <= bench.rounds; round++) {
    bench.say(`  ${name}, round ${round} of ${bench.rounds}`);
    for (const server of servers) {
      const before = server.cpuSeconds();
      const result = await load({
        port: server.port,
        connections: CALLERS,
        seconds: bench.seconds,
        warmupSeconds: bench.warmupSeconds,
        request: (i) => request(server, i),
      });
      if (result.statuses[200] !== result.requests)
        throw new Error(`${server.name}, ${name}: ${JSON.stringify(result.statuses)}`);
      const share = bench.seconds / (bench.seconds + bench.warmupSeconds);
      const cpuMicros = ((server.cpuSeconds() - before) * share * 1e6) / result.requests;
      results.get(server)!.push({ ...result, cpuMicros });
    }
  }
  const rates = new Map([...results].map(([server, all]) => [server, all.map((one) => one.requestsPerSecond)]));
  return { name, rates, table: tableOf(name, results, rates) };
}

function tableOf(
  name: string,
  results: ReadonlyMap<HttpServer, readonly Sample[]>,
  rates: ReadonlyMap<HttpServer, readonly number[]>,
): Table {
  const [first] = results.keys();
  const rows = [...results].map(([server, all]) => [
    server.name,
    spread(rates.get(server)!),
    number(median(all.map(({ latency }) => latency.p50))),
    number(median(all.map(({ latency }) => latency.p99))),
    number(median(all.map(({ cpuMicros }) => cpuMicros))),
    number(medianRatio(rates.get(first!)!, rates.get(server)!)),
  ]);
  return {
    title: `${name} at ${CALLERS} callers`,
    columns: ['', 'requests/s: median (min - max)', 'p50 ms', 'p99 ms', 'CPU us each', `${first!.name} is times`],
    rows,
  };
}

function readTargets({ name, rates }: Contest, [large, small, , constants]: readonly HttpServer[]): Target[] {
  const of = (server: HttpServer | undefined) => rates.get(server!)!;
  return [
    atLeast(`${name}, times the ceiling`, 0.9, medianRatio(of(large), of(constants))),
    atLeast(`${name}, times the same at 1,000 messages (flat)`, 0.95, medianRatio(of(large), of(small))),
  ];
}

/** Messages as fast as they go, then a thousand a second, until they are on the other's socket. */
async function messagesContest(bench: Bench, large: CruddurServer, sql: HttpServer, pairs: readonly Pair[]) {
  const receivers = await Receivers.open(large, pairs);
  let received = 0;
  receivers.onMessage = () => received++;
  const sent = await contest(bench, [large, sql], 'messages', (server, i) => {
    const { from, group } = pairs[i % pairs.length]!;
    const body = JSON.stringify({ message: `Message ${i}`, message_group_uuid: group });
    return { path: '/cruddur/api/messages', headers: { authorization: server.tokenOf(from) }, body };
  });
  const seconds = bench.rounds * (bench.seconds + bench.warmupSeconds);
  const perSecond = received / seconds / 2; // The other server's messages come by the same log, and are pushed as well.
  bench.say('  1,000 messages a second');
  const steady = await deliver(large, receivers, { pairs, perSecond: 1000, seconds: bench.quick ? 5 : 15 });
  receivers.close();
  if (steady.received < steady.sent) throw new Error(`${steady.sent - steady.received} messages did not arrive`);
  const shares = [0.5, 0.9, 0.99, 1].map((share) => percentile(steady.latencies, share));
  const table: Table = {
    title: 'Milliseconds from sending a message to having it on the other’s socket, at 1,000 a second',
    columns: ['messages', 'median', '90 %', '99 %', 'most', 'pushed/s while as many as possible are sent'],
    rows: [[number(steady.sent), ...shares.map(number), number(perSecond)]],
    note: 'Sender, receiver and server share the machine; the clock starts before the request is written.',
  };
  return {
    tables: [sent.table, table],
    targets: [
      atMost('a message on the other’s socket, median', 3, shares[0]!, 'ms'),
      atMost('a message on the other’s socket, p99', 15, shares[2]!, 'ms'),
    ],
  };
}

/** Users sign up first, so they have the first numbers; which of them is whose, the record says in the order of their names. */
function numbersOf(users: readonly string[]): Map<string, number> {
  return new Map(users.map((user, i) => [user, i + 1]));
}

async function sizesOf(server: CruddurServer, [user]: readonly string[]): Promise<Record<string, number>> {
  const size = async (path: string) => Buffer.byteLength(JSON.stringify(await server.call('GET', path, user)));
  return { [HOME]: await size('/activities/home'), [GROUPS]: await size('/message_groups') };
}

/** Every second user with the next: a conversation of each pair. */
async function pairsOf(server: CruddurServer, users: readonly string[]): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i + 1 < users.length; i += 2) {
    const [from, to] = [users[i]!, users[i + 1]!];
    const body = { message: 'hello', handle: to };
    const { message_group_uuid } = await server.call<{ message_group_uuid: string }>('POST', '/messages', from, body);
    pairs.push({ from, to, group: message_group_uuid });
  }
  return pairs;
}
