import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Bench, Part } from '../bench.ts';
import type { BoardResult } from '../board.ts';
import { atLeast, atMost, type Findings } from '../report/findings.ts';
import { number } from '../report/statistics.ts';
import { HUGE_PAGES } from '../servers/lockstep.ts';
import { runProcess } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';
import { sendToRedis } from './games.ts';

const BOARD = fileURLToPath(new URL('../board.ts', import.meta.url));

interface SortedSet {
  readonly bytesPerEntry: number;
  readonly ranksPerSecond: number;
  readonly rawRanksPerSecond: number;
}

/** The board's structure in memory next to a sorted set of Redis. */
export const ranks: Part = {
  name: 'ranks',
  title: 'Rank look-ups and memory',
  async run(bench: Bench): Promise<Findings> {
    const sizes = bench.quick ? [1_000_000] : [1_000_000, 10_000_000];
    const args = ['--max-old-space-size=8192', BOARD, ...sizes.map(String)];
    bench.say('  boards in memory');
    const board = { command: process.execPath, args, env: HUGE_PAGES, cwd: bench.directory, timeoutMs: 240_000 };
    const output = await runProcess(board);
    const boards = JSON.parse(output) as BoardResult[];
    const sets: SortedSet[] = [];
    for (const entries of sizes) {
      bench.say(`  a sorted set of ${entries.toLocaleString('en')}`);
      sets.push(await measureSortedSet(bench, entries));
    }
    return findings(boards, sets);
  },
};

function findings(boards: readonly BoardResult[], sets: readonly SortedSet[]): Findings {
  const rows = boards.flatMap((board, i) => {
    const set = sets[i]!;
    const size = board.entries.toLocaleString('en');
    return [
      [`${size}: Lockstep, one board`, number(board.ranksPerSecond), number(board.bytesPerEntry)],
      [`${size}: Redis, ioredis, pipelines of 1,000`, number(set.ranksPerSecond), number(set.bytesPerEntry)],
      [`${size}: Redis, raw bytes in one pipeline`, number(set.rawRanksPerSecond), number(set.bytesPerEntry)],
    ];
  });
  const last = boards.at(-1)!;
  const size = last.entries.toLocaleString('en');
  return {
    tables: [
      {
        title: 'Random rank look-ups by id',
        columns: ['entries', 'ranks/s', 'bytes an entry'],
        rows,
        note: 'Lockstep in the process that asks, as its reads do; Redis over a Unix socket, ZRANK, MEMORY USAGE. Both find the entry by its id.',
      },
      viewTable(boards),
    ],
    targets: [
      atMost(`bytes an entry at ${size}`, 30, last.bytesPerEntry, 'bytes'),
      atLeast(`ranks/s at ${size}`, 1_300_000, last.ranksPerSecond),
    ],
  };
}

/** What the service's view of all its boards takes and does. */
function viewTable(boards: readonly BoardResult[]) {
  const rows = boards.map(({ entries, view }) => [
    entries.toLocaleString('en'),
    number(view.bytesPerGame),
    number(view.insertsPerSecond),
    number(view.updatesPerSecond),
    number(view.standingsPerSecond),
    number(view.topTensPerSecond),
    number(view.longestTurnMs),
  ]);
  return {
    title: 'The whole view: boards of games and players, all time, months and days',
    columns: [
      'games',
      'bytes a game',
      'inserts/s',
      'updates/s',
      'standings/s',
      'top tens/s',
      'longest turn in a build, ms',
    ],
    rows,
  };
}

async function measureSortedSet(bench: Bench, entries: number): Promise<SortedSet> {
  const server = await startRedis(join(bench.directory, `redis-${entries}`));
  const redis = new Redis({ path: server.path });
  try {
    await sendToRedis(server.path, zadds(entries));
    const bytes = (await redis.memory('USAGE', 'board', 'SAMPLES', 0)) as number;
    const ranksPerSecond = await pipelinedRanks(redis, entries);
    return {
      bytesPerEntry: bytes / entries,
      ranksPerSecond,
      rawRanksPerSecond: await rawRanks(server.path, entries),
    };
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

const ADDED_AT_ONCE = 100;

/** Ids as members, scores at random, many to a command. */
function* zadds(entries: number): Generator<string[]> {
  for (let id = 1; id <= entries; id += ADDED_AT_ONCE) {
    const command = ['ZADD', 'board'];
    for (let i = id; i < Math.min(id + ADDED_AT_ONCE, entries + 1); i++) {
      command.push(String(Math.floor(Math.random() * 1e9)), String(i));
    }
    yield command;
  }
}

const LOOKUPS = 200_000;
const PIPELINE = 1000;

/** Two pipelines under way, so that neither side waits for the other. */
async function pipelinedRanks(redis: Redis, entries: number): Promise<number> {
  let left = LOOKUPS / PIPELINE;
  const work = async () => {
    while (left-- > 0) {
      const pipeline = redis.pipeline();
      for (let i = 0; i < PIPELINE; i++) pipeline.zrank('board', String(1 + Math.floor(Math.random() * entries)));
      await pipeline.exec();
    }
  };
  const began = performance.now();
  await Promise.all([work(), work()]);
  return LOOKUPS / ((performance.now() - began) / 1000);
}

/** Without a client library: commands as bytes in one long pipeline, replies only skipped. */
async function rawRanks(path: string, entries: number): Promise<number> {
  function* commands() {
    for (let i = 0; i < LOOKUPS; i++) yield ['ZRANK', 'board', String(1 + Math.floor(Math.random() * entries))];
  }
  const began = performance.now();
  await sendToRedis(path, commands());
  return LOOKUPS / ((performance.now() - began) / 1000);
}
