import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Findings } from './report/findings.ts';

/** How much is measured. */
export interface Extent {
  readonly quick: boolean;
  /** Rounds in which the servers take turns. */
  readonly rounds: number;
  /** Seconds of one measurement. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Users who submit. */
  readonly users: number;
  /** Games that are there before. */
  readonly seedGames: number;
}

export const FULL: Extent = {
  quick: false,
  rounds: 5,
  seconds: 2.5,
  warmupSeconds: 0.7,
  users: 256,
  seedGames: 100_000,
};
export const QUICK: Extent = { quick: true, rounds: 2, seconds: 1.2, warmupSeconds: 0.5, users: 32, seedGames: 10_000 };

/** What each part is given. */
export interface Bench extends Extent {
  /** A directory for the run's files, removed at the end, whatever the end. */
  readonly directory: string;
  /** News for who waits. */
  say(text: string): void;
}

/** One part of the benchmark: it starts what it measures, and ends it. */
export interface Part {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Findings>;
}

export function openBench(extent: Extent): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return { ...extent, directory, say: (text) => process.stderr.write(`${text}\n`) };
}
