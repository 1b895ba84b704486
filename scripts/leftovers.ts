import { readdirSync, readFileSync } from 'node:fs';

/** Environment variable that marks every process of one test run, whoever its parent is by now. */
export const RUN_MARK = 'LOCKSTEP_TEST_RUN';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes of a test run: those that carry `mark` in their environment, and those that name it in their command line
 * (PostgreSQL gets a plain environment). Without this one. Linux only; elsewhere none are found.
 */
export function processesMarked(mark: string): Leftover[] {
  return pids()
    .filter((pid) => pid !== process.pid)
    .map((pid) => ({ pid, command: processFile(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '')
    .filter(
      ({ pid, command }) => command.includes(mark) || processFile(pid, 'environ').includes(`${RUN_MARK}=${mark}\0`),
    );
}

/** Kills what `processesMarked` found. */
export function killAll(leftovers: readonly Leftover[]): void {
  for (const { pid } of leftovers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Empty where the process is gone or somebody else's. */
function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
