import pg from 'pg';
import { ClientError } from './errors.ts';

const RETRY_SOON = { headers: { 'Retry-After': '1' } };

/** More is waiting for the record than may wait. Nothing was written. */
export class RecordBusy extends ClientError {
  constructor(detail: string, cause?: unknown) {
    super(503, `The database is busy (${detail}). Nothing was written; try again in a moment.`, {
      ...RETRY_SOON,
      cause,
    });
    this.name = 'RecordBusy';
  }
}

/** The record cannot be reached, or was lost before anything could be committed. */
export class RecordUnavailable extends ClientError {
  constructor(cause: unknown) {
    super(503, 'The database cannot be reached right now. Nothing was written; try again in a moment.', {
      ...RETRY_SOON,
      cause,
    });
    this.name = 'RecordUnavailable';
  }
}

/** The connection was lost after the write was sent and before its answer came. */
export class RecordUnknownOutcome extends ClientError {
  constructor(cause: unknown) {
    super(
      503,
      'The connection to the database was lost while it was writing: this may have been written or not. Read before you ' +
        'send it again, or send such requests with an Idempotency-Key, which makes repeating them safe.',
      { ...RETRY_SOON, cause },
    );
    this.name = 'RecordUnknownOutcome';
  }
}

/** The SQLSTATE of an error that PostgreSQL reported. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Class 22 of SQLSTATE: a value that was sent is malformed, or out of range. */
export function isBadValue(error: unknown): boolean {
  return sqlState(error)?.startsWith('22') ?? false;
}

/** Two transactions were in each other's way, and this one was rolled back: running it again may work. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The server is going down or not up yet: shutdown, crash of another process, start-up. */
const GOING_DOWN = new Set(['57P01', '57P02', '57P03']);
const SOCKET_ERRORS = new Set(
  'ECONNREFUSED ECONNRESET ENOENT EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN EAGAIN'.split(' '),
);

/** The connection ended while or before a statement was sent on it; what was not committed is undone. For use inside the record. */
export class ConnectionLost extends Error {
  /** The client knew that its connection was gone, and sent nothing. */
  readonly unsent: boolean;
  constructor(cause: Error) {
    super(`the database connection was lost: ${cause.message}`, { cause });
    this.name = 'ConnectionLost';
    this.unsent = NOT_SENT.test(cause.message);
  }
}

/**
 * `ConnectionLost` for an error of the driver that means it, any other error as it is. Told apart where the driver is called,
 * because a caller's own errors (a file that is not there: ENOENT) look the same.
 */
export function nameLoss(error: unknown): unknown {
  return error instanceof Error && meansLoss(error) ? new ConnectionLost(error) : error;
}

/** pg's "Client has encountered a connection error and is not queryable". */
const NOT_SENT = /is not queryable$/;

function meansLoss(error: Error): boolean {
  const state = sqlState(error);
  if (state !== undefined) return GOING_DOWN.has(state) || state.startsWith('08');
  const { code, message } = error as NodeJS.ErrnoException;
  return SOCKET_ERRORS.has(code ?? '') || message.startsWith('Connection terminated') || NOT_SENT.test(message);
}

/** Too many connections for now. */
export function isFull(error: unknown): boolean {
  return sqlState(error) === '53300';
}
