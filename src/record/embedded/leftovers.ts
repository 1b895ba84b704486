import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';

/** How long each way of ending them gets, in milliseconds. */
const PATIENCE = { fast: 10_000, immediate: 5_000, kill: 5_000 };

/**
 * Ends what is left of a server of which the process that started it has died: the postmaster, which may be stopping
 * already, and backends that outlived their postmaster. Nothing else can be using the directory: its lock is ours.
 */
export async function endLeftovers(pgdata: string, clusterName: string, log: Log): Promise<void> {
  const pidFile = join(pgdata, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const find = () => processesOf(pgdata, clusterName);
  const postmaster = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  const found = find();
  if (found.length === 0) {
    // Another program got the pid since: PostgreSQL would take it for a postmaster and refuse to start.
    if (isAlive(postmaster)) rmSync(pidFile, { force: true });
    return;
  }
  log.warn({ processes: found }, 'an earlier PostgreSQL still runs on this data directory; stopping it');
  if (found.includes(postmaster)) signal([postmaster], 'SIGINT');
  if (await ended(find, found.includes(postmaster) ? PATIENCE.fast : 1000)) return;
  signal(find(), 'SIGQUIT');
  if (await ended(find, PATIENCE.immediate)) return;
  signal(find(), 'SIGKILL');
  if (await ended(find, PATIENCE.kill)) return;
  throw new Error(
    `An earlier PostgreSQL still runs on ${pgdata} and cannot be stopped (processes ${find().join(', ')}): end them by hand.`,
  );
}

/**
 * The server processes on a data directory, told by their command lines, which every user may read: the postmaster names the
 * directory, its children are titled `postgres: <cluster name>: ...`.
 */
export function processesOf(pgdata: string, clusterName: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isServerProcess(commandLine(pid), pgdata, clusterName))
    .map(Number);
}

/** `commandLine` is the text of /proc/<pid>/cmdline: arguments, each ended by a zero byte. */
export function isServerProcess(commandLine: string, pgdata: string, clusterName: string): boolean {
  if (commandLine.startsWith(`postgres: ${clusterName}: `)) return true;
  const [program, option, directory] = commandLine.split('\0');
  return program !== undefined && /(^|\/)postgres$/.test(program) && option === '-D' && directory === pgdata;
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function ended(find: () => number[], patience: number): Promise<boolean> {
  for (const deadline = Date.now() + patience; find().length > 0; await sleep(10)) {
    if (Date.now() > deadline) return false;
  }
  return true;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
