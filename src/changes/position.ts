/**
 * A place in the record's log: everything committed up to and including it. `lsn` is the *end* LSN of a transaction's
 * commit record (restarting at the commit LSN itself would deliver the transaction again). LSNs of two epochs do not
 * compare: the epoch changes with the system identifier, the timeline or a restore (SPEC 3).
 */
export interface Position {
  readonly epoch: string;
  /** Bytes from the start of the log. Exact below 2^53, which is 9 petabytes of log. */
  readonly lsn: number;
}

/** `16/B374D848` to a number; throws on anything else. Source: PostgreSQL's `pg_lsn` text form. */
export function parseLsn(text: string): number {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) throw new Error(`not an LSN: ${JSON.stringify(text)}`);
  return Number.parseInt(match[1]!, 16) * 0x1_0000_0000 + Number.parseInt(match[2]!, 16);
}

/** The inverse of {@link parseLsn}. */
export function formatLsn(lsn: number): string {
  return `${Math.floor(lsn / 0x1_0000_0000)
    .toString(16)
    .toUpperCase()}/${(lsn >>> 0).toString(16).toUpperCase()}`;
}

/** The form clients see (`Lockstep-Position`): opaque to them. */
export function formatPosition(position: Position): string {
  return `${position.epoch}-${position.lsn.toString(36)}`;
}

/** A client's text back to a position, or undefined when it is none. Never throws: the text is not trusted. */
export function parsePosition(text: string): Position | undefined {
  const match = /^([0-9a-z]{1,32})-([0-9a-z]{1,11})$/.exec(text);
  if (!match) return undefined;
  const lsn = Number.parseInt(match[2]!, 36);
  return Number.isSafeInteger(lsn) ? { epoch: match[1]!, lsn } : undefined;
}
