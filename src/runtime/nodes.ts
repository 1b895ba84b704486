import { hostname } from 'node:os';
import { parsePosition } from '../changes/position.ts';
import type { NodeStatus as KnownNode } from '../live/nodes/registry.ts';
import type { NodeStatus } from './runtime.ts';

/** The nodes as they tell of themselves to each other, for `status`. Nodes of one release tell no version: it is this one's. */
export function nodesOf(
  known: readonly KnownNode[],
  { version, recordEnd }: { version: string; recordEnd: number },
): NodeStatus[] {
  return known.map(({ id, host, pid, url, started, seen, position, leading }) => ({
    name: id,
    url,
    version,
    uptime: (seen - started) / 1000,
    role: leading ? 'leader' : 'standby',
    position,
    lagBytes: Math.max(0, recordEnd - ((position && parsePosition(position)?.lsn) || 0)),
    self: pid === process.pid && host === hostname(),
  }));
}
