import { type Commit, isBefore, isVisible } from '../../changes/visibility.ts';
import type { Lease, Seen } from '../lazy.ts';

/**
 * By transaction visibility (CORRECTNESS 11). A position in the log will not do: the log shows a commit before snapshots do,
 * so that a reading can be past a commit in the log and not have it in its rows.
 */
export const byVisibility: Lease = {
  // The log's end is asked first: it excludes what came later, also after transaction ids have gone round.
  includes: ({ end, snapshot }: Seen, { lsn, xid }: Commit) => lsn <= end && isVisible(xid, snapshot),
  includesAllTo: ({ snapshot }, { xid }) => isBefore(xid, snapshot.xmin),
};
