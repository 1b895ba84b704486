import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Part } from '../bench.ts';
import { atMost, type Findings } from '../report/findings.ts';
import { median, spread } from '../report/statistics.ts';
import { runLockstep, startLockstep } from '../servers/lockstep.ts';
import { SEED } from './games.ts';

/** From `lockstep start` until `/readyz` says that it serves, views built. */
export const start: Part = {
  name: 'start',
  title: 'Start',
  async run(bench: Bench): Promise<Findings> {
    const games = bench.quick ? 10_000 : 1_000_000;
    const [first, second, large] = [[], [], []] as number[][];
    for (let round = 1; round <= bench.rounds; round++) {
      bench.say(`  start, round ${round} of ${bench.rounds}`);
      const options = { dataDir: join(bench.directory, `lockstep-${round}`), cwd: bench.directory };
      first!.push(await timeToReady(options));
      second!.push(await timeToReady(options));
      if (round === 1) await runLockstep({ ...options, timeoutMs: 120_000 }, sampleArgs(games));
      if (round > 1) rmSync(options.dataDir, { recursive: true });
    }
    const filled = { dataDir: join(bench.directory, 'lockstep-1'), cwd: bench.directory };
    for (let round = 1; round <= bench.rounds; round++) large!.push(await timeToReady(filled));
    return {
      tables: [
        {
          title: 'Seconds until ready',
          columns: ['', 'median (min - max)'],
          rows: [
            ['first start: makes the database', spread(first!)],
            ['second start', spread(second!)],
            [`start with ${games.toLocaleString('en')} games`, spread(large!)],
          ],
        },
      ],
      targets: [atMost('second start ready', 1, median(second!), 's')],
    };
  },
};

async function timeToReady(options: { dataDir: string; cwd: string }): Promise<number> {
  const server = await startLockstep(options);
  await server.stop();
  return server.readyAfter;
}

function sampleArgs(games: number): string[] {
  return ['leaderboard', 'sample', String(games), '--seed', String(SEED), '--import'];
}
