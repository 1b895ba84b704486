import type { ChildProcess } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { type Cluster, SETTINGS_FILE } from './initialise.ts';
import { endLeftovers } from './leftovers.ts';
import { serverSettings } from './settings.ts';

/** How long each way of stopping gets, in milliseconds. */
const PATIENCE = { fast: 15_000, immediate: 5_000 };
const READY = 'database system is ready to accept connections';
/** Backends outlive a killed postmaster by a moment; a killed Lockstep may just have started one. */
const STILL_IN_USE = /pre-existing shared memory block|lock file .* already exists/;
const TRIES_WHILE_IN_USE = 50;
/** Killed from outside in the middle of its start, by the kernel for want of memory, say: worth another try. */
const KILLED = /^signal SIGKILL/;
const TRIES_WHEN_KILLED = 3;

export interface ServerOptions {
  readonly cluster: Cluster;
  /** In the titles of the server's processes. */
  readonly name: string;
  readonly socketDirectory: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** One run of the postmaster. */
export interface Server {
  readonly pid: number;
  /** Fulfilled with the reason when it has ended, for whatever reason. */
  readonly ended: Promise<string>;
  /** Fast shutdown, then immediate, then SIGKILL. Returns when it has ended. */
  stop(): Promise<void>;
}

/** Starts the postmaster and waits until it accepts connections, through crash recovery however long that takes. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { cluster, name, settings, log } = options;
  writeSettings(cluster, serverSettings(totalmem(), name, settings));
  for (let tries = 1; ; tries++) {
    await endLeftovers(cluster.pgdata, name, log);
    clearSockets(options.socketDirectory);
    const { server, ready } = spawnServer(options);
    const failure = await ready;
    if (failure === undefined) return server;
    if (tries >= triesFor(failure)) {
      throw new Error(`The embedded PostgreSQL on ${cluster.pgdata} did not start: ${failure}`);
    }
    await sleep(100);
  }
}

function triesFor(failure: string): number {
  if (STILL_IN_USE.test(failure)) return TRIES_WHILE_IN_USE;
  return KILLED.test(failure) ? TRIES_WHEN_KILLED : 1;
}

/**
 * No server runs on the directory any more, so its socket's lock file is a dead one's; PostgreSQL would believe it when the pid
 * in it is another program's, or a zombie's that nobody reaps (a container without an init).
 */
function clearSockets(socketDirectory: string): void {
  for (const name of readdirSync(socketDirectory)) {
    if (name.startsWith('.s.PGSQL.')) rmSync(join(socketDirectory, name), { force: true });
  }
}

function writeSettings(cluster: Cluster, text: string): void {
  const file = join(cluster.pgdata, SETTINGS_FILE);
  writeFileSync(file, text, { mode: 0o600 });
  cluster.launcher.giveAway(file);
}

/** `ready` becomes undefined, or why it ended before it was. */
function spawnServer({ cluster, socketDirectory, log }: ServerOptions) {
  const child = cluster.launcher.start(
    cluster.binaries.postgres,
    ['-D', cluster.pgdata, '-k', socketDirectory, '-c', 'listen_addresses='],
    { deathSignal: 'INT', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const lastLines: string[] = [];
  const ready = new Promise<string | undefined>((resolve) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      logLine(log, line);
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      if (line.includes(READY)) resolve(undefined);
    });
    ended.then((reason) => resolve(`${reason}: ${lastLines.join('\n')}`));
  });
  const server: Server = { pid: child.pid ?? 0, ended, stop: () => stopServer(child, ended) };
  return { server, ready };
}

/** FATAL ends one session, whose client is told; before the server is ready it is in the error of the start. */
function logLine(log: Log, line: string): void {
  log[line.startsWith('PANIC:') ? 'warn' : 'debug']({ postgres: line }, 'PostgreSQL says');
}

async function stopServer(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGINT');
  const immediate = setTimeout(() => child.kill('SIGQUIT'), PATIENCE.fast);
  const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE.fast + PATIENCE.immediate);
  await ended;
  clearTimeout(immediate);
  clearTimeout(kill);
}
