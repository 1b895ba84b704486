import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { embeddedUrl } from '../record/embedded.ts';
import { randomFrom } from '../runtime/random.ts';
import { freePort, ServerProcess } from './server-process.ts';

const COMMAND = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));
const PASSWORD = 'Correct-horse-1';
const VICTIMS = ['lockstep', 'postgres', 'both'] as const;

export interface CrashTestOptions {
  readonly kills: number;
  /** The schedule of kills follows from it. */
  readonly seed: number;
  readonly writers?: number;
  /** Further variables of the server. */
  readonly env?: Readonly<Record<string, string>>;
  report?(line: string): void;
}

export interface CrashReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Acknowledged, but not in the record or not on the boards. */
  readonly lost: readonly number[];
  /** In the record more than once. */
  readonly twice: readonly number[];
  readonly drift: number;
}

/**
 * Kills Lockstep, PostgreSQL or both with SIGKILL, again and again, while scores are submitted; then looks for every
 * acknowledged score. Each submission has a score of its own, so that it can be told from all others.
 */
export async function crashTest({
  kills,
  seed,
  writers = 8,
  env = {},
  report = () => {},
}: CrashTestOptions): Promise<CrashReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'lockstep-crash-'));
  const server = new ServerProcess({
    dataDir,
    port: await freePort(),
    supervised: true,
    env: { LOG_LEVEL: 'warn', LOCKSTEP_RATE_LIMIT: '0', ...env },
  });
  try {
    server.start();
    await server.ready();
    const players = await Promise.all(Array.from({ length: writers }, (_, i) => signUp(server, `player${i}`)));
    const acknowledged = new Map<number, string>();
    const writing = new AbortController();
    const counter = { next: 1 };
    const loops = players.map((player) => submitUntil(writing.signal, server, player, counter, acknowledged));
    await killAgainAndAgain(server, kills, seed, (line) => report(`${line}, ${acknowledged.size} scores acknowledged`));
    writing.abort();
    await Promise.all(loops);
    await server.ready();
    return { kills, acknowledged: acknowledged.size, ...(await findLosses(server, acknowledged)) };
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

interface Player {
  readonly username: string;
  readonly token: string;
}

async function signUp(server: ServerProcess, username: string): Promise<Player> {
  const send = (path: string, body: object) =>
    fetch(`${server.url}/leaderboard${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await send('/users', { username, password: PASSWORD, email: `${username}@example.com` });
  const login = await send('/login', { username, password: PASSWORD });
  const { idToken } = (await login.json()) as { idToken: string };
  return { username, token: idToken };
}

/** Submits one score after the other; what fails was not acknowledged, and is not sent again. */
async function submitUntil(
  stopped: AbortSignal,
  server: ServerProcess,
  { username, token }: Player,
  counter: { next: number },
  acknowledged: Map<number, string>,
): Promise<void> {
  while (!stopped.aborted) {
    const score = counter.next++;
    try {
      const answer = await fetch(`${server.url}/leaderboard/users/${username}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: token },
        body: JSON.stringify({ level: 1, score }),
      });
      await answer.text();
      if (answer.status === 200) acknowledged.set(score, username);
      else await sleep(20);
    } catch {
      await sleep(20); // the server is away
    }
  }
}

async function killAgainAndAgain(
  server: ServerProcess,
  kills: number,
  seed: number,
  report: (line: string) => void,
): Promise<void> {
  const random = randomFrom(seed);
  for (let i = 1; i <= kills; i++) {
    // Often in the middle of a start: that must be survived too.
    await sleep(random() * 1500);
    const victim = VICTIMS[Math.floor(random() * VICTIMS.length)]!;
    report(`kill ${i} of ${kills}: ${victim}`);
    const postmaster = server.postmaster();
    if (victim !== 'lockstep' && postmaster) killIfAlive(postmaster);
    if (victim !== 'postgres') {
      await server.stop('SIGKILL');
      server.start();
    }
    if (random() < 0.7) await server.ready();
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended by itself
  }
}

/** The record is asked by SQL; that the boards show the same is what `verify` says. */
async function findLosses(
  server: ServerProcess,
  acknowledged: ReadonlyMap<number, string>,
): Promise<{ lost: number[]; twice: number[]; drift: number }> {
  const client = await connect(embeddedUrl(server.dataDir)!);
  const { rows } = await client.query<{ score: number; times: string }>(
    'select score, count(*) as times from leaderboard.games group by score',
  );
  await client.end();
  const found = new Set(rows.map(({ score }) => score));
  return {
    lost: [...acknowledged.keys()].filter((score) => !found.has(score)),
    twice: rows.filter(({ times }) => times !== '1').map(({ score }) => score),
    drift: await driftOf(server),
  };
}

/** The last kill may have been a moment ago: the server's end is noticed a little later. */
async function connect(url: string): Promise<pg.Client> {
  for (let tries = 1; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}

/** As `lockstep verify` finds it: of all views and projections. */
export async function driftOf(server: ServerProcess): Promise<number> {
  const env = { ...process.env, DATABASE_URL: '', LOCKSTEP_DATA: server.dataDir };
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, 'verify', '--json'], { env });
  const reports = JSON.parse(stdout) as { drift: number }[];
  return reports.reduce((sum, { drift }) => sum + drift, 0);
}
