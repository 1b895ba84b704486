/** Another process follows this slot: one at a time may. Worth trying again when that one is gone. */
export class SlotBusy extends Error {
  readonly slot: string;
  /** The server process that serves the holder, where it is known. */
  readonly pid: number | undefined;
  constructor(slot: string, pid: number | undefined) {
    super(`replication slot "${slot}" is in use by another process (server pid ${pid ?? 'unknown'})`);
    this.name = 'SlotBusy';
    this.slot = slot;
    this.pid = pid;
  }
}

/** A transaction that a new slot waits for. */
export interface Blocker {
  /** 0 for a prepared transaction, which has no process. */
  readonly pid: number;
  /** What it does, since when: for people. */
  readonly detail: string;
}

/** A new slot waits for every transaction that was open when it was asked for; these did not end in time. */
export class SlotCreationBlocked extends Error {
  readonly blockers: readonly Blocker[];
  constructor(slot: string, timeoutMs: number, blockers: readonly Blocker[]) {
    const named = blockers.map(({ pid, detail }) => (pid ? `pid ${pid} (${detail})` : detail)).join('; ');
    super(
      `replication slot "${slot}" was not made within ${timeoutMs} ms: it waits for open transactions to end: ` +
        `${named || 'none was found any more'}. End them, or run SELECT pg_terminate_backend(<pid>), and it is tried again.`,
    );
    this.name = 'SlotCreationBlocked';
    this.blockers = blockers;
  }
}
