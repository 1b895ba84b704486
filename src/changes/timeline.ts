import type pg from 'pg';
import { epochOf, type LogIdentity } from './epoch.ts';
import { type Position, parseLsn } from './position.ts';

/** Where a timeline ended and the next one began. */
export interface Fork {
  readonly timeline: number;
  /** What ends at or before it is part of the later timelines. */
  readonly lsn: number;
}

/** A timeline's history file: `1\t0/3000148\tno recovery target specified`, a line for each timeline before it. */
export function parseHistory(text: string): Fork[] {
  return text
    .split('\n')
    .map((line) => /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ timeline: Number(match[1]), lsn: parseLsn(match[2]!) }));
}

/** Whether `log` holds everything that a state at `position` has seen: the position is of it, or from before it forked (CORRECTNESS 1). */
export function continues(log: LogIdentity, forks: readonly Fork[], { epoch, lsn }: Position): boolean {
  if (epoch === epochOf(log)) return true;
  return forks.some((fork) => epoch === epochOf({ ...log, timeline: fork.timeline }) && lsn <= fork.lsn);
}

/** The forks that led to the timeline of the server; none on the first. */
export async function readForks(replication: pg.Client, timeline: number): Promise<Fork[]> {
  if (timeline === 1) return [];
  const { rows } = await replication.query<{ content: unknown }>(`TIMELINE_HISTORY ${timeline}`);
  return parseHistory(String(rows[0]?.content ?? ''));
}
