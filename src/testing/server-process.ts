import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { embeddedUrl } from '../record/embedded.ts';

const COMMAND = fileURLToPath(new URL('../../bin/lockstep.js', import.meta.url));

export interface ServerProcessOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Start it again when it ends by itself before it was ready, as a service manager would: a start may lose its database. */
  readonly supervised?: boolean;
}

/** `lockstep start` as a process of its own, to be killed: what a user has. */
export class ServerProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #wasReady = false;
  #stopping = false;
  /** What it printed, for a failing test's message. */
  output = '';

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.dataDir = options.dataDir;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Sends a signal, and waits for nothing: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  start(): void {
    const { dataDir, port, env } = this.#options;
    const child = spawn(process.execPath, [COMMAND, 'start'], {
      env: { ...process.env, DATABASE_URL: '', LOCKSTEP_DATA: dataDir, PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#wasReady = false;
    this.#stopping = false;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.output = (this.output + chunk).slice(-20_000);
      });
    }
    child.once('exit', () => {
      if (this.#child !== child) return;
      this.#child = null;
      if (this.#options.supervised && !this.#wasReady && !this.#stopping) this.start();
    });
  }

  /** Waits until `/readyz` says so. */
  async ready(timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      await answer?.body?.cancel();
      if (answer?.ok) {
        this.#wasReady = true;
        return;
      }
      if (!this.#child) throw new Error(`the server ended:\n${this.output}`);
      await sleep(20);
    }
    throw new Error(`the server was not ready in ${timeoutMs} ms:\n${this.output}`);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#stopping = true;
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** Of its embedded PostgreSQL; undefined before the first start. */
  get databaseUrl(): string | undefined {
    return embeddedUrl(this.dataDir);
  }

  /** The postmaster's pid, or null when there is none. */
  postmaster(): number | null {
    try {
      return Number(readFileSync(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    } catch {
      return null;
    }
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
