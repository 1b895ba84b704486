import type { Lease } from '../views/lazy.ts';

/** Leases that are wrong, for tests that have to see it. */
export const BROKEN_LEASES: Readonly<Record<'by position in the log' | 'off', Lease>> = {
  // Reads well, and is wrong: the log shows a commit before snapshots do.
  'by position in the log': {
    includes: ({ flushed }, { lsn }) => lsn <= flushed,
    includesAllTo: ({ flushed }, { lsn }) => lsn <= flushed,
  },
  off: { includes: () => true, includesAllTo: () => true },
};
