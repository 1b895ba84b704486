// The leaderboard's memory: ranks and updates a second, bytes an entry, build time. Alone: `node bench/board.ts [entries ...]`.
import { pathToFileURL } from 'node:url';
import type { Change, Table } from '../src/changes/change.ts';
import type { Row } from '../src/record/value.ts';
import { leaderboard } from '../src/views/leaderboard/leaderboard.ts';
import { standing, top } from '../src/views/leaderboard/queries.ts';
import { DAY } from '../src/views/leaderboard/window.ts';
import { IdIndex } from '../src/views/stores/memory/id-index.ts';
import { NodePool } from '../src/views/stores/memory/node-pool.ts';
import { NumberColumn } from '../src/views/stores/memory/number-column.ts';
import { OrderedRows } from '../src/views/stores/memory/ordered-rows.ts';
import { sortRows } from '../src/views/stores/memory/radix-sort.ts';
import { inTurns } from '../src/views/stores/memory/turns.ts';

export interface BoardResult {
  readonly entries: number;
  /** One board alone: the tree, the ids' index, and each entry's id, score and time. */
  readonly buildSeconds: number;
  readonly ranksPerSecond: number;
  readonly updatesPerSecond: number;
  readonly bytesPerEntry: number;
  readonly treeBytesPerEntry: number;
  readonly bytesPerEntryAfterUpdates: number;
  /** The whole view: games and players, all time, 62 days of months and 8 of days, players' names. */
  readonly view: ViewResult;
}

export interface ViewResult {
  readonly loadSeconds: number;
  readonly buildSeconds: number;
  readonly bytesPerGame: number;
  readonly insertsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly standingsPerSecond: number;
  readonly topTensPerSecond: number;
  /** The longest time the event loop stood still during the build. */
  readonly longestTurnMs: number;
}

const NOW = 20_777 * DAY;
const COMMIT = { xid: 1, lsn: 1 };

/** Measures at each size. */
export async function run(options: { entries?: readonly number[] } = {}): Promise<BoardResult[]> {
  const results: BoardResult[] = [];
  for (const entries of options.entries ?? [1_000_000, 10_000_000]) {
    results.push({ entries, ...(await measureBoard(entries)), view: await measureView(entries) });
  }
  return results;
}

async function measureBoard(entries: number): Promise<Omit<BoardResult, 'entries' | 'view'>> {
  const random = generator(1);
  const [id, score, time] = [new NumberColumn(), new NumberColumn(), new NumberColumn({ wide: true })];
  const ids = new IdIndex({ idOf: (row) => id.at(row) });
  const order = {
    key: (row: number) => -score.at(row),
    second: (row: number) => time.at(row),
    compare: (a: number, b: number) => time.at(a) - time.at(b) || id.at(a) - id.at(b),
  };
  const pool = new NodePool();
  const board = new OrderedRows({ pool, order });
  const columns = [id, score, time, ids];
  const bytes = () => (columns.reduce((sum, column) => sum + column.bytes, 0) + pool.bytes) / entries;

  const begun = performance.now();
  for (let row = 0; row < entries; row++) {
    id.set(row, row + 1);
    score.set(row, random(1e9));
    time.set(row, NOW - entries + row);
    ids.add(row + 1, row);
  }
  await inTurns(buildSorted());
  const buildSeconds = (performance.now() - begun) / 1000;
  function* buildSorted(): Generator<void> {
    const rows = new Int32Array(entries);
    for (let row = 0; row < entries; row++) rows[row] = row;
    yield* board.build(yield* sortRows(rows, order.key));
  }

  const built = { bytesPerEntry: bytes(), treeBytesPerEntry: pool.bytes / entries };
  const ranksPerSecond = perSecond(1_000_000, () => board.rank(ids.find(random(entries) + 1)));
  const updatesPerSecond = perSecond(1_000_000, () => {
    const row = ids.find(random(entries) + 1);
    board.remove(row);
    score.set(row, random(1e9));
    board.insert(row);
  });
  return { buildSeconds, ranksPerSecond, updatesPerSecond, ...built, bytesPerEntryAfterUpdates: bytes() };
}

const TABLE: Table = { oid: 1, name: 'bench.games', columns: [], key: ['game_id'], full: false };
const definition = leaderboard({
  ...{ table: TABLE.name, id: 'game_id', player: 'username', score: 'score', time: 'gamedate', keep: ['level'] },
  windows: { overall: true, monthly: { keepDays: 62 }, daily: { keepDays: 8 } },
});

/** A game of one of `games / 10` players, in the five years before now. */
function gameOf(id: number, games: number, random: (below: number) => number): Row {
  const gamedate = NOW - 5 * 365 * DAY + Math.floor((id / games) * 5 * 365) * DAY + random(86_400_000_000);
  return {
    game_id: id,
    username: `player${random(games / 10)}`,
    score: random(1_000_000),
    gamedate,
    level: 1 + random(100),
  };
}

async function measureView(games: number): Promise<ViewResult> {
  const random = generator(2);
  const view = definition.build();
  view.expire?.(NOW);
  let loading = 0;
  for (let id = 1; id <= games; id += 1000) {
    const rows = Array.from({ length: Math.min(1000, games - id + 1) }, (_, i) => gameOf(id + i, games, random));
    const begun = performance.now();
    view.load(TABLE.name, rows);
    loading += performance.now() - begun;
  }
  const turns = watchTurns();
  const begun = performance.now();
  await view.loaded();
  const buildSeconds = (performance.now() - begun) / 1000;
  const longestTurnMs = turns.stop();
  const bytesPerGame = view.stats().bytes / games;

  let id = games;
  const insert = (): Change => ({
    op: 'insert',
    table: TABLE,
    before: null,
    after: { ...gameOf(++id, games, random), gamedate: NOW },
  });
  const update = (): Change => ({
    op: 'update',
    table: TABLE,
    before: null,
    after: gameOf(1 + random(games), games, random),
  });
  const players = { board: 'players', window: 'overall' } as const;
  return {
    ...{ loadSeconds: loading / 1000, buildSeconds, longestTurnMs, bytesPerGame },
    insertsPerSecond: perSecond(200_000, () => view.apply([insert()], COMMIT)),
    updatesPerSecond: perSecond(200_000, () => view.apply([update()], COMMIT)),
    standingsPerSecond: perSecond(300_000, () =>
      view.answer(standing({ ...players, member: `player${random(games / 10)}` })),
    ),
    topTensPerSecond: perSecond(100_000, () => view.answer(top({ ...players, limit: 10 }))),
  };
}

function watchTurns(): { stop(): number } {
  let longest = 0;
  let before = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

/** The median of five runs, after one to warm up. */
function perSecond(times: number, work: () => unknown): number {
  const rates = Array.from({ length: 6 }, () => {
    const begun = performance.now();
    for (let i = 0; i < times / 5; i++) work();
    return times / 5 / ((performance.now() - begun) / 1000);
  });
  return rates.slice(1).sort((a, b) => a - b)[2]!;
}

/** Whole numbers below a bound, the same in every run (xorshift32). */
function generator(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 0x1_0000_0000) * below);
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sizes = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(await run(sizes.length > 0 ? { entries: sizes } : {}), null, 2));
}
