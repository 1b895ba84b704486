import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TICKS_PER_SECOND = 100;

/** Processor time in seconds that the PostgreSQL of a data directory has used so far: the postmaster, its children, and those that have ended. */
export function databaseSeconds(pgdata: string): number {
  const postmaster = Number(readFileSync(join(pgdata, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (fields && (Number(name) === postmaster || Number(fields[1]) === postmaster)) ticks += ticksOf(fields);
  }
  return ticks / TICKS_PER_SECOND;
}

/** proc(5), the fields after the name, which may hold blanks; undefined for a process that has just ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

/** utime, stime, and the same of children that were waited for. */
function ticksOf(fields: readonly string[]): number {
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}
