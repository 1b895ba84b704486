import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { HttpServer } from './http.ts';
import { type ProcessOptions, runProcess, startProcess, withTimeout } from './process.ts';

const COMMAND = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));
const PASSWORD = 'Bench-Pass-1';
const SIGN_UPS_AT_ONCE = 4;
/** As `lockstep start` sets it for itself (bin/huge-pages.js); for what is measured without that command. */
export const HUGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

export interface LockstepOptions {
  readonly dataDir: string;
  readonly cwd: string;
  readonly users?: readonly string[];
  /** The script that is the command line; Lockstep's own unless told. */
  readonly command?: string;
  /** Options for Node: `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** The one service it runs; all unless told. */
  readonly only?: string;
  /** Further settings: `DATABASE_URL`, `VALKEY_URL`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface LockstepServer extends HttpServer {
  /** Seconds from its start until `/readyz` said so. */
  readonly readyAfter: number;
}

/** `lockstep start` as users have it, with everything at its default but the directory, the port and the services. */
export async function startLockstep(options: LockstepOptions): Promise<LockstepServer> {
  const { cwd, users = [], timeoutMs = 30_000 } = options;
  const port = await freePort();
  const began = performance.now();
  const running = await startProcess({
    ...commandLine(options, ['start']),
    cwd,
    env: { ...environment(options), PORT: String(port) },
  });
  await withTimeout(Promise.race([untilReady(port, timeoutMs), running.ended]), timeoutMs, 'Lockstep to be ready');
  const readyAfter = (performance.now() - began) / 1000;
  const tokens = await signUp(port, users);
  return { ...running, name: 'Lockstep', port, readyAfter, tokenOf: (user) => tokens.get(user)! };
}

/** A command of `lockstep` on a data directory, to its end. Gives its output. */
export function runLockstep(options: LockstepOptions, args: readonly string[]): Promise<string> {
  const env = environment(options);
  return runProcess({ ...commandLine(options, args), cwd: options.cwd, env, timeoutMs: options.timeoutMs });
}

function environment({ dataDir, only, command, env }: LockstepOptions): Record<string, string> {
  return { LOCKSTEP_DATA: dataDir, ...(only && { LOCKSTEP_ONLY: only }), ...(command && HUGE_PAGES), ...env };
}

function commandLine(options: LockstepOptions, args: readonly string[]): Pick<ProcessOptions, 'command' | 'args'> {
  const { nodeArgs = [], command = COMMAND } = options;
  return { command: process.execPath, args: [...nodeArgs, command, ...args] };
}

async function untilReady(port: number, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(5);
  }
}

/** Signs up and logs in each user; their ID tokens. */
export async function signUp(port: number, users: readonly string[]): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  const left = [...users];
  const work = async () => {
    for (let username = left.pop(); username !== undefined; username = left.pop()) {
      await post(port, 'users', { username, password: PASSWORD, email: `${username}@example.com` });
      const { idToken } = await post(port, 'login', { username, password: PASSWORD });
      tokens.set(username, idToken!);
    }
  };
  await Promise.all(Array.from({ length: SIGN_UPS_AT_ONCE }, work));
  return tokens;
}

async function post(port: number, path: string, body: object): Promise<Record<string, string>> {
  const answer = await fetch(`http://127.0.0.1:${port}/leaderboard/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST /leaderboard/${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
