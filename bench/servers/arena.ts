import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Variant } from '../naive/variant.ts';
import { SEED, seedNaive } from '../parts/games.ts';
import type { HttpServer } from './http.ts';
import { type LockstepServer, runLockstep, startLockstep } from './lockstep.ts';
import { type NaiveGround, NaiveTokens, startNaive } from './naive.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';

/** Everything that is compared, on the same games and users. What is not measured at the moment is idle. */
export interface Arena extends AsyncDisposable {
  readonly lockstep: LockstepServer;
  naive(variant: Variant): Promise<HttpServer>;
}

export async function openArena(bench: Bench): Promise<Arena> {
  await using stack = new AsyncDisposableStack();
  const { directory, seedGames } = bench;
  const users = usersOf(bench);
  bench.say(`starting PostgreSQL, Redis and Lockstep with ${seedGames} games and ${users.length} users`);
  const postgres = await startPostgres(directory);
  stack.defer(() => postgres.stop());
  const redis = await startRedis(join(directory, 'redis'));
  stack.defer(() => redis.stop());
  await seedNaive({ databaseUrl: postgres.url, redisPath: redis.path, games: seedGames });
  const ground: NaiveGround = { databaseUrl: postgres.url, redisPath: redis.path, cwd: directory };
  const tokens = await NaiveTokens.make(users);
  const lockstep = await openLockstep(bench, users);
  stack.defer(() => lockstep.stop());
  const owned = stack.move();
  return {
    lockstep,
    naive: (variant) => startNaive(variant, ground, tokens),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Lockstep with the sample games in `lockstep` under the bench's directory, and its users signed in. */
export async function openLockstep(
  bench: Bench,
  users: readonly string[],
  nodeArgs: readonly string[] = [],
): Promise<LockstepServer> {
  const { directory, seedGames } = bench;
  const options = { dataDir: join(directory, 'lockstep'), cwd: directory, users, only: 'leaderboard' };
  await runLockstep(options, ['leaderboard', 'sample', String(seedGames), '--seed', String(SEED), '--import']);
  return startLockstep({ ...options, nodeArgs });
}

export function usersOf({ users }: Bench): string[] {
  return Array.from({ length: users }, (_, i) => `player${i}`);
}
