import { decoderFor } from '../../record/decode.ts';
import { daysFromCivil, MICROS_PER_DAY, MICROS_PER_SECOND } from '../../record/time.ts';
import type { Value } from '../../record/value.ts';

/** Decodes a value's text where it lies in a chunk from the socket: the same as `decoderFor(type)` of that text, without the string. */
export type ByteDecoder = (bytes: Buffer, start: number, end: number) => Value;

const ZERO = 48;
const NINE = 57;
const MINUS = 45;

/** The decoder of a type: straight from the bytes for the frequent short types, by way of the text for all others. */
export function byteDecoderFor(typeOid: number): ByteDecoder {
  const fast = FAST.get(typeOid);
  if (fast) return fast;
  const decode = decoderFor(typeOid);
  return (bytes, start, end) => decode(bytes.toString('utf8', start, end));
}

const FAST: ReadonlyMap<number, ByteDecoder> = new Map<number, ByteDecoder>([
  [16, (bytes, start) => bytes[start] === 116], // boolean: t or f
  [20, bigIntegerAt], // bigint
  [21, integerAt], // smallint
  [23, integerAt], // integer
  [26, integerAt], // oid
  [25, textAt], // text
  [1043, textAt], // varchar
  [1114, (bytes, start, end) => microsAt(bytes, start, end) ?? slow(1114, bytes, start, end)], // timestamp
  [1184, (bytes, start, end) => microsAt(bytes, start, end) ?? slow(1184, bytes, start, end)], // timestamptz
]);

function slow(typeOid: number, bytes: Buffer, start: number, end: number): Value {
  return decoderFor(typeOid)(bytes.toString('latin1', start, end));
}

function textAt(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end);
}

function integerAt(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  const value = digits(bytes, negative ? start + 1 : start, end);
  return negative ? -value : value;
}

/** Fifteen digits are always exact. */
function bigIntegerAt(bytes: Buffer, start: number, end: number): Value {
  return end - start <= 15 ? integerAt(bytes, start, end) : slow(20, bytes, start, end);
}

function digits(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + bytes[at]! - ZERO;
  return value;
}

/** `YYYY-MM-DD HH:MM:SS[.ffffff][+00]`; undefined for every other form. */
function microsAt(bytes: Buffer, start: number, end: number): number | undefined {
  if (bytes[start + 4] !== MINUS || bytes[start + 10] !== 32) return undefined;
  let stop = end;
  if (bytes[end - 3] === 43 && bytes[end - 2] === ZERO && bytes[end - 1] === ZERO) stop -= 3;
  const length = stop - start;
  if (length !== 19 && (length < 21 || length > 26 || bytes[start + 19] !== 46)) return undefined;
  for (let at = start + 20; at < stop; at++) if (bytes[at]! < ZERO || bytes[at]! > NINE) return undefined;
  const fraction = length === 19 ? 0 : digits(bytes, start + 20, stop) * FRACTION[length - 20]!;
  const days = daysFromCivil(digits(bytes, start, start + 4), two(bytes, start + 5), two(bytes, start + 8));
  const seconds = two(bytes, start + 11) * 3600 + two(bytes, start + 14) * 60 + two(bytes, start + 17);
  return days * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + fraction;
}

/** What a fraction of so many digits counts in microseconds. */
const FRACTION: readonly number[] = [0, 100_000, 10_000, 1000, 100, 10, 1];

function two(bytes: Buffer, at: number): number {
  return bytes[at]! * 10 + bytes[at + 1]! - 11 * ZERO;
}
