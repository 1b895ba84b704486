import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SampleGame, sampleGames } from '../../services/leaderboard/sample.ts';
import type { Bench, Part } from '../bench.ts';
import { atMost, type Findings } from '../report/findings.ts';
import { median, spread } from '../report/statistics.ts';
import { type LockstepServer, runLockstep, startLockstep } from '../servers/lockstep.ts';
import { SEED } from './games.ts';
import { today } from './load.ts';

/** The last line of the file: when it leads the board, all games are there. */
const CHAMPION: SampleGame = {
  username: 'champion',
  gamedate: '2020-01-01T00:00:00',
  score: 2_000_000_000,
  level: 100,
};
const TIMEOUT_MS = 120_000;

/** `lockstep leaderboard import FILE` beside a running server, until its boards show the games. */
export const importing: Part = {
  name: 'import',
  title: 'Import',
  async run(bench: Bench): Promise<Findings> {
    const games = bench.quick ? 100_000 : 1_000_000;
    const file = join(bench.directory, 'games.jsonl');
    await writeGames(file, games);
    const [read, shown] = [[], []] as number[][];
    for (let round = 1; round <= Math.min(3, bench.rounds); round++) {
      bench.say(`  import, round ${round}`);
      const times = await importOnce(bench, file);
      read!.push(times.read);
      shown!.push(times.shown);
    }
    const name = `${games.toLocaleString('en')} games`;
    return {
      tables: [
        {
          title: `Seconds to import ${name}`,
          columns: ['', 'median (min - max)'],
          rows: [
            ['until the command has ended', spread(read!)],
            ['until they are on the boards', spread(shown!)],
          ],
          note: 'Counted from the start of the command line; the server runs all the time, and answers from the boards again at the end.',
        },
      ],
      targets: [atMost(`${name} imported and on the boards`, 10, median(shown!), 's')],
    };
  },
};

async function writeGames(file: string, games: number): Promise<void> {
  function* lines() {
    for (const game of sampleGames({ games: games - 1, seed: SEED, until: Date.now() }))
      yield `${JSON.stringify(game)}\n`;
    yield `${JSON.stringify(CHAMPION)}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

async function importOnce({ directory }: Bench, file: string): Promise<{ read: number; shown: number }> {
  const options = { dataDir: join(directory, 'lockstep'), cwd: directory, timeoutMs: TIMEOUT_MS, only: 'leaderboard' };
  const server = await startLockstep(options);
  try {
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const shown = untilChampionLeads(server).then(seconds);
    await runLockstep(options, ['leaderboard', 'import', file]);
    return { read: seconds(), shown: await shown };
  } finally {
    await server.stop();
    rmSync(options.dataDir, { recursive: true });
  }
}

/** As the view answers, not SQL in its place. */
async function untilChampionLeads({ port }: LockstepServer): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; await sleep(20)) {
    const answer = await fetch(`http://127.0.0.1:${port}/leaderboard/scores/${today()}?limit=1`);
    const { overall } = (await answer.json()) as { overall: { username: string }[] };
    if (overall[0]?.username === CHAMPION.username && answer.headers.get('lockstep-source') === 'view') return;
  }
  throw new Error(`the imported games were not on the boards after ${TIMEOUT_MS / 1000} s`);
}
