import pg from 'pg';

/** Backend messages by their type byte. Source: PostgreSQL's manual, "Message Formats". */
export const BACKEND = {
  commandComplete: 67, // C
  copyBoth: 87, // W
  copyData: 100, // d
  copyDone: 99, // c
  copyOut: 72, // H
  error: 69, // E
  readyForQuery: 90, // Z
} as const;

/** A simple query. */
export function queryMessage(sql: string): Buffer {
  const body = Buffer.from(`${sql}\0`);
  const message = Buffer.allocUnsafe(5 + body.length);
  message[0] = 81; // Q
  message.writeUInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}

/** CopyDone: this side has nothing more to say. */
export const COPY_DONE: Uint8Array = Buffer.from([99, 0, 0, 0, 4]);

/** Ends the connection in good order. */
export const TERMINATE: Uint8Array = Buffer.from([88, 0, 0, 0, 4]);

/** An ErrorResponse as the error that pg would make of it. */
export function readError(bytes: Buffer, start: number, end: number): pg.DatabaseError {
  const fields = new Map<string, string>();
  for (let at = start; at < end && bytes[at] !== 0; ) {
    const stop = bytes.indexOf(0, at + 1);
    fields.set(String.fromCharCode(bytes[at]!), bytes.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  const error = new pg.DatabaseError(fields.get('M') ?? 'unknown error', end - start, 'error');
  error.severity = fields.get('S');
  error.code = fields.get('C');
  error.detail = fields.get('D');
  error.hint = fields.get('H');
  return error;
}

const STATUS_LENGTH = 39;
const TWO_TO_32 = 0x1_0000_0000;

/** Standby status update, as a message; LSNs as `parseLsn` gives them. */
export function statusMessage(status: { written: number; applied: number; replyRequested: boolean }): Buffer {
  const message = Buffer.alloc(STATUS_LENGTH);
  message[0] = BACKEND.copyData;
  message.writeUInt32BE(STATUS_LENGTH - 1, 1);
  message[5] = 114; // r
  writeUint64(message, status.written, 6);
  writeUint64(message, status.applied, 14); // flushed
  writeUint64(message, status.applied, 22); // applied
  writeUint64(message, (Date.now() - Date.UTC(2000, 0, 1)) * 1000, 30);
  message[38] = status.replyRequested ? 1 : 0;
  return message;
}

function writeUint64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / TWO_TO_32), at);
  bytes.writeUInt32BE(value % TWO_TO_32, at + 4);
}
