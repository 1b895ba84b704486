import { hostname } from 'node:os';
import type { LiveStatus } from '../../live/live.ts';
import type { SystemStatus } from '../../runtime/runtime.ts';

/** One process of Lockstep, as it tells of itself. */
export type NodeStatus = NonNullable<LiveStatus['nodes']>[number];

/** The nodes of the database; where the views live in this process alone, this one. `now`: milliseconds since 1970. */
export function nodesOf({ url, pid, uptime, live }: SystemStatus, now: number): readonly NodeStatus[] {
  if (live.nodes) return live.nodes;
  const { position, following: leading, ready } = live;
  const host = hostname();
  const started = Math.round(now - uptime * 1000);
  return [{ id: `${host}/${pid}`, host, pid, url, started, seen: now, position, leading, ready }];
}
