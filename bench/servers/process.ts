import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment beside PATH and HOME: settings of the caller's shell must not change what is measured. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Waits for output that matches; otherwise for nothing. */
  readonly ready?: RegExp;
  /** Milliseconds until it must be ready (or, for `runProcess`, ended); 30,000 unless told. */
  readonly timeoutMs?: number;
}

/** A server in a process of its own. */
export interface Running {
  readonly pid: number;
  /** What `ready` matched. */
  readonly match: RegExpExecArray | null;
  /** Processor time used until now, user and system, in seconds. */
  cpuSeconds(): number;
  /** Fulfilled with everything it printed when it has ended; rejected when it failed. */
  readonly ended: Promise<string>;
  /** Ends it: SIGTERM, after ten seconds SIGKILL. */
  stop(): Promise<void>;
}

const PATIENCE_MS = 30_000;
const STOP_MS = 10_000;
const TICKS_PER_SECOND = 100;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process, and waits until it is ready. It ends with this process. */
export async function startProcess(options: ProcessOptions): Promise<Running> {
  const { command, args, cwd, ready, timeoutMs = PATIENCE_MS } = options;
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  const matched = Promise.withResolvers<RegExpExecArray | null>();
  const look = (chunk: Buffer) => {
    output += chunk;
    const match = ready?.exec(output);
    if (match) matched.resolve(match);
  };
  child.stdout.on('data', look);
  child.stderr.on('data', look);
  const ended = new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      if (code === 0 || signal === 'SIGTERM') resolve(output);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}:\n${output.slice(-4000)}`));
    });
  });
  const early = ended.then(() => Promise.reject(new Error(`${command} ${args.join(' ')} ended:\n${output}`)));
  early.catch(() => {});
  if (!ready) matched.resolve(null);
  const match = await withTimeout(Promise.race([matched.promise, early]), timeoutMs, `${command} to be ready`);
  return { pid: child.pid!, match, ended, cpuSeconds: () => cpuSecondsOf(child.pid!), stop: () => stop(child, ended) };
}

/** Runs a program to its end and gives what it printed. */
export async function runProcess(options: Omit<ProcessOptions, 'ready'>): Promise<string> {
  const { timeoutMs = PATIENCE_MS } = options;
  const started = await startProcess(options);
  try {
    return await withTimeout(started.ended, timeoutMs, `${options.command} to end`);
  } finally {
    await started.stop();
  }
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended.catch(() => {});
  clearTimeout(kill);
}

/** proc(5): utime and stime are the fields 14 and 15, counted after the name, which may hold blanks. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export async function withTimeout<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
