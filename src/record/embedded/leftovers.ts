import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';

/** How long each way of ending them gets, in milliseconds. */
const PATIENCE = { fast: 10_000, orphans: 1_000, immediate: 5_000, kill: 5_000 };

/**
 * Ends what is left of a server of which the process that started it has died: the postmaster, which may be stopping
 * already, and backends that outlived their postmaster. Nothing else can be using the directory: its lock is ours.
 */
export async function endLeftovers(pgdata: string, clusterName: string, log: Log): Promise<void> {
  const find = () => processesOf(pgdata, clusterName);
  const found = find();
  if (found.length > 0) {
    log.warn({ processes: found }, 'an earlier PostgreSQL still runs on this data directory; stopping it');
    await endAll(find, postmasterOf(pgdata), pgdata);
  }
  // A pid that still exists is now a zombie's or another program's; PostgreSQL would take that for a postmaster.
  const postmaster = postmasterOf(pgdata);
  if (postmaster && existsSync(`/proc/${postmaster}`)) rmSync(pidFile(pgdata), { force: true });
}

function pidFile(pgdata: string): string {
  return join(pgdata, 'postmaster.pid');
}

/** As the postmaster's own file says; undefined when it has ended in order. */
function postmasterOf(pgdata: string): number | undefined {
  const file = pidFile(pgdata);
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}

async function endAll(find: () => number[], postmaster: number | undefined, pgdata: string): Promise<void> {
  const whole = postmaster !== undefined && find().includes(postmaster);
  if (whole) signal([postmaster], 'SIGINT');
  if (await ended(find, whole ? PATIENCE.fast : PATIENCE.orphans)) return;
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
 * directory (so does the setpriv that is about to become one), its children are titled `postgres: <cluster name>: ...`.
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
  const words = commandLine.split('\0');
  const program = words.findIndex((word) => word.endsWith('/postgres'));
  return program >= 0 && words[program + 1] === '-D' && words[program + 2] === pgdata;
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
