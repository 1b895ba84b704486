import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/record/embedded.ts';
import { silent } from '../../src/record/log.ts';
import type { Bench, Part } from '../bench.ts';
import { atMost, type Findings } from '../report/findings.ts';
import { number } from '../report/statistics.ts';
import { type LockstepOptions, runLockstep, startLockstep } from '../servers/lockstep.ts';

const TIMEOUT_MS = 180_000;

/** The boards built anew from the record: at a start, and beside the ones that serve (`lockstep rebuild`). */
export const rebuild: Part = {
  name: 'rebuild',
  title: 'Rebuild',
  async run(bench: Bench): Promise<Findings> {
    const games = bench.quick ? 200_000 : 10_000_000;
    const options = {
      dataDir: join(bench.directory, 'lockstep'),
      cwd: bench.directory,
      timeoutMs: TIMEOUT_MS,
      only: 'leaderboard',
    };
    await makeTables(options);
    bench.say(`  filling the table with ${games.toLocaleString('en')} games`);
    await fill(options.dataDir, games);
    bench.say('  building at start');
    const server = await startLockstep(options);
    try {
      bench.say('  building beside the boards that serve');
      const began = performance.now();
      await runLockstep(options, ['rebuild', 'games']);
      const online = (performance.now() - began) / 1000;
      return findings(games, { atStart: server.readyAfter, online });
    } finally {
      await server.stop();
    }
  },
};

function findings(games: number, { atStart, online }: { atStart: number; online: number }): Findings {
  const entries = `${games.toLocaleString('en')} entries`;
  return {
    tables: [
      {
        title: `Seconds to build ${entries}`,
        columns: ['', 'seconds', 'entries/s'],
        rows: [
          ['from start to ready', number(atStart), number(games / atStart)],
          ['`lockstep rebuild` beside a serving view', number(online), number(games / online)],
        ],
        note: 'Boards of games and of players: all time, months and days. Measured once.',
      },
    ],
    targets: [atMost(`rebuild of ${entries}`, 20, online, 's'), atMost(`the same at a start`, 20, atStart, 's')],
  };
}

async function makeTables(options: LockstepOptions): Promise<void> {
  const server = await startLockstep(options);
  await server.stop();
}

const INDEXES = `select indexname, indexdef from pg_indexes
  where schemaname = 'leaderboard' and tablename = 'games' and indexname <> 'games_pkey'`;

/** Fills the table as fast as PostgreSQL can: in one transaction with nothing logged, the indexes afterwards. */
async function fill(dataDir: string, games: number): Promise<void> {
  const settings = { wal_level: 'minimal', max_wal_senders: '0', maintenance_work_mem: '1GB', max_wal_size: '8GB' };
  const postgres = await startEmbedded({ dataDir, log: silent, settings });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const { rows: indexes } = await client.query<{ indexname: string; indexdef: string }>(INDEXES);
    for (const { indexname } of indexes) await client.query(`drop index leaderboard.${indexname}`);
    await client.query('begin');
    await client.query('truncate leaderboard.games');
    await client.query(INSERT, [games]);
    await client.query('commit');
    for (const { indexdef } of indexes) await client.query(indexdef);
    await client.query('vacuum analyze leaderboard.games');
  } finally {
    await client.end();
    await postgres.stop();
  }
}

/** Games of an eighth as many players in the last 90 days; 2654435761 scatters (Knuth's multiplicative hash). */
const INSERT = `
  insert into leaderboard.games (username, gamedate, level, score)
  select 'player' || (i * 2654435761 % ($1::bigint / 8)),
         now() - (90 * (1 - i / $1::float8)) * interval '1 day',
         1 + i % 100,
         i * 40503 % 1000000
    from generate_series(1, $1::bigint) as i`;
