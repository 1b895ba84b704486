import type { Row } from '../record/value.ts';
import type { ByteDecoder } from './pgoutput/bytes.ts';
import type { MutableRow, RowPlan } from './pgoutput/row-plan.ts';

const TAB = 9;
const NEWLINE = 10;
const BACKSLASH = 92;
const CAPITAL_N = 78;

/** What COPY writes for the characters it escapes: b, f, n, r, t, v. Every other one stands for itself. */
const ESCAPES: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9, 118: 11 };

/** Reads one line of COPY's text format, `\n` included, with the stream's own decoders. Source: the manual, COPY, "Text Format". */
export function readCopyRow(plan: RowPlan, bytes: Buffer, start: number, end: number): Row {
  const row: MutableRow = {};
  let at = start;
  for (const column of plan.columns) {
    const from = at;
    let escaped = false;
    for (let byte = bytes[at]; byte !== TAB && byte !== NEWLINE && at < end; byte = bytes[++at]) {
      if (byte === BACKSLASH) escaped = true;
    }
    if (column)
      row[column.name] = escaped ? readEscaped(column.decode, bytes, from, at) : column.decode(bytes, from, at);
    at++;
  }
  return row;
}

function readEscaped(decode: ByteDecoder, bytes: Buffer, start: number, end: number) {
  if (end - start === 2 && bytes[start + 1] === CAPITAL_N) return null;
  const plain = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    plain[length++] = byte === BACKSLASH ? (ESCAPES[bytes[++at]!] ?? bytes[at]!) : byte;
  }
  return decode(plain, 0, length);
}
