import { hostname } from 'node:os';
import type { LiveStatus } from '../../live/live.ts';
import type { SystemStatus } from '../../runtime/runtime.ts';

/** One process of Lockstep, as it tells of itself. */
export interface NodeStatus {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly url: string | null;
  /** Milliseconds since 1970, by one clock, like `seen`. */
  readonly started: number;
  readonly seen: number;
  /** Up to where it has heard of everything. */
  readonly position: string | null;
  /** Whether it follows the record, for all of them. */
  readonly leading: boolean;
  /** Whether it answers from the views. */
  readonly ready: boolean;
}

/** The nodes of the database; where the live stage knows of no others, this process. */
export function nodesOf(system: SystemStatus, now: number): readonly NodeStatus[] {
  const { nodes } = system.live as LiveStatus & { readonly nodes?: readonly NodeStatus[] | null };
  return nodes ?? [thisNode(system, now)];
}

function thisNode({ url, pid, uptime, live }: SystemStatus, now: number): NodeStatus {
  return {
    id: `${hostname()}/${pid}`,
    host: hostname(),
    pid,
    url,
    started: Math.round(now - uptime * 1000),
    seen: now,
    position: live.position,
    leading: live.following,
    ready: live.ready,
  };
}
