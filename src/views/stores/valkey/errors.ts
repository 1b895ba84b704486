/** The server cannot be asked now. Where `sent`, it may have done what it was asked. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly sent: boolean;

  constructor(detail: string, { sent, cause }: { readonly sent: boolean; readonly cause?: unknown }) {
    super(detail, { cause });
    this.sent = sent;
  }
}

/** The server answered with an error that will not pass by itself: a script that fails, a right that is missing, no memory. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** Why nothing more can be written to a bucket by who wrote it until now. */
export type FaultReason =
  | 'gap' // what was to be applied does not follow on what is stored
  | 'deposed' // a later leader has fenced the bucket
  | 'absent'; // the bucket, its generation or its fence is not there: the store lost something

export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly reason: FaultReason;
  /** Of a fence that was refused: the epoch of the leader who holds it, by whatever record. */
  readonly leader: number | null;

  constructor(reason: FaultReason, detail: string, leader: number | null = null) {
    super(`${reason}: ${detail}`);
    this.reason = reason;
    this.leader = leader;
  }
}

/** Replies that say that the server did not do it, and may do it later. */
const PASSING =
  /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|BUSY|NOREPLICAS|UNBLOCKED)\b|non local key in a cluster/;

/** What an error reply means to who asked. */
export function errorFrom(reply: Error, server: string): Error {
  const detail = `${server} answered: ${reply.message}`;
  return PASSING.test(reply.message)
    ? new StoreUnavailable(detail, { sent: true, cause: reply })
    : new StoreRefused(detail, { cause: reply });
}
