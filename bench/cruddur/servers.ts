import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedUrl } from '../../src/record/embedded.ts';
import type { Bench } from '../bench.ts';
import type { HttpServer } from '../servers/http.ts';
import { startLockstep } from '../servers/lockstep.ts';
import { startProcess } from '../servers/process.ts';
import { PASSWORD, seedCruddur } from './seed.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const START_MS = 600_000;
const POOL_SIZE = 24;
const LOGINS_AT_ONCE = 4;

export interface CruddurServer extends HttpServer {
  readonly dataDir: string;
  /** Seconds from its start until it was ready. */
  readonly readyAfter: number;
  call<T>(method: string, path: string, user?: string, body?: object): Promise<T>;
}

/** Lockstep on a seeded directory, its users logged in. */
export async function startCruddur(
  bench: Bench,
  options: { name: string; users: readonly string[]; messages: number; activities: number },
): Promise<CruddurServer> {
  const { name, users, messages, activities } = options;
  const dataDir = join(bench.directory, name.replaceAll(/\W+/g, '-'));
  const began = performance.now();
  await seedCruddur({ dataDir, users, messages, activities });
  bench.say(`  seeded in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const server = await startLockstep({ dataDir, cwd: bench.directory, timeoutMs: START_MS, only: 'cruddur' });
  bench.say(`  ready after ${server.readyAfter.toFixed(1)} s`);
  const tokens = await logIn(server.port, users);
  const call = async <T>(method: string, path: string, user?: string, body?: object) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/cruddur/api${path}`, {
      method,
      headers: {
        ...(user && { authorization: tokens.get(user)! }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return { ...server, name, dataDir, call, tokenOf: (user) => tokens.get(user)! };
}

/** The same queries in SQL on the same database. Its users go by their numbers. */
export async function startSql(
  bench: Bench,
  { dataDir }: CruddurServer,
  numbers: ReadonlyMap<string, number>,
): Promise<HttpServer> {
  const options = { databaseUrl: embeddedUrl(dataDir), poolSize: POOL_SIZE };
  const running = await startProcess({
    command: process.execPath,
    args: [script('./naive.ts')],
    cwd: bench.directory,
    env: { NAIVE: JSON.stringify(options), NODE_ENV: 'production' },
    ready: /listening (\d+)/,
  });
  const port = Number(running.match![1]);
  return { ...running, name: 'Fastify and SQL', port, tokenOf: (user) => String(numbers.get(user)) };
}

export async function startConstants(bench: Bench, sizes: Readonly<Record<string, number>>): Promise<HttpServer> {
  const running = await startProcess({
    command: process.execPath,
    args: [script('./ceiling.ts')],
    cwd: bench.directory,
    env: { CEILING: JSON.stringify(sizes) },
    ready: /listening (\d+)/,
  });
  return { ...running, name: 'constant answer', port: Number(running.match![1]), tokenOf: () => 'none' };
}

async function logIn(port: number, users: readonly string[]): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  const left = [...users];
  const work = async () => {
    for (let username = left.pop(); username !== undefined; username = left.pop()) {
      const answer = await fetch(`http://127.0.0.1:${port}/identity/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password: PASSWORD }),
      });
      if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`);
      tokens.set(username, ((await answer.json()) as { idToken: string }).idToken);
    }
  };
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, work));
  return tokens;
}
