/** Which transaction changes belong to. */
export interface Commit {
  /** 32-bit transaction id, as the log has it. */
  readonly xid: number;
  /** Where the transaction ends in the log (the start of its commit record, for a slice of a large one). */
  readonly lsn: number;
}

/** What a SQL statement sees: `pg_current_snapshot()` in 32-bit transaction ids, as the log has them. */
export interface Snapshot {
  /** All before it have ended. */
  readonly xmin: number;
  /** None from it on had begun to end. */
  readonly xmax: number;
  /** Those between the two that were under way. */
  readonly running: readonly number[];
}

/** Reads `xmin:xmax:xip,...` */
export function parseSnapshot(text: string): Snapshot {
  const [xmin, xmax, running] = text.split(':');
  return { xmin: low32(xmin!), xmax: low32(xmax!), running: running ? running.split(',').map(low32) : [] };
}

/** The inverse of `parseSnapshot`. */
export function formatSnapshot({ xmin, xmax, running }: Snapshot): string {
  return `${xmin}:${xmax}:${running.join()}`;
}

function low32(xid: string): number {
  return xid.length <= 9 ? Number(xid) : Number(BigInt(xid) & 0xffff_ffffn);
}

/** Transaction ids go round: the one that is less than 2^31 ahead is the later one (PostgreSQL manual 24.1.5). */
export function isBefore(xid: number, other: number): boolean {
  return ((xid - other) | 0) < 0;
}

/** Further apart than snapshots of one time are: not looked at one by one. */
const FAR = 100_000;

/** Whether a snapshot shows everything that `earlier` shows, which may be ahead of it: see `isVisible`. */
export function showsAllOf({ xmin, xmax, running }: Snapshot, earlier: Snapshot): boolean {
  if (!isBefore(xmin, earlier.xmax)) return true;
  if (running.some((xid) => isVisible(xid, earlier))) return false;
  if (((earlier.xmax - xmax) | 0) > FAR) return false;
  for (let xid = xmax; isBefore(xid, earlier.xmax); xid = (xid + 1) >>> 0) if (isVisible(xid, earlier)) return false;
  return true;
}

/** Whether a committed transaction's changes are in the snapshot. The log shows a commit before snapshots do (CORRECTNESS 11). */
export function isVisible(xid: number, { xmin, xmax, running }: Snapshot): boolean {
  if (isBefore(xid, xmin)) return true;
  return isBefore(xid, xmax) && !running.includes(xid);
}
