import { daysFromCivil, MICROS_PER_DAY, MICROS_PER_SECOND } from './time.ts';
import type { Value } from './value.ts';

/** Turns a value's text, as PostgreSQL sends it under {@link SESSION_SETTINGS}, into the value. */
export type Decoder = (text: string) => Value;

/** What makes PostgreSQL's text forms the ones that are decoded here. Every connection is opened with them. */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO,YMD',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/** The same as the `options` of a connection: in force from its first statement, without a round trip. */
export const SESSION_OPTIONS: string = Object.entries(SESSION_SETTINGS)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

const ZERO = 48;
const MINUS = 45;

/**
 * The value of a column, by its type's oid; see `Value` for what becomes of which type. A query's result names the base
 * type of a domain, but the change feed names the domain: look its base type up first.
 */
export function decodeText(typeOid: number, text: string): Value {
  return decoderFor(typeOid)(text);
}

/** The decoder of a type, for many values of one column. Types that stay text share one function. */
export function decoderFor(typeOid: number): Decoder {
  return DECODERS.get(typeOid) ?? asText;
}

function asText(text: string): string {
  return text;
}

function asInteger(text: string): number {
  const negative = text.charCodeAt(0) === MINUS;
  let value = 0;
  for (let i = negative ? 1 : 0; i < text.length; i++) value = value * 10 + (text.charCodeAt(i) - ZERO);
  return negative ? -value : value;
}

/** Fifteen digits are always exact. */
function asBigInteger(text: string): number | bigint {
  if (text.length <= 15) return asInteger(text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function asBoolean(text: string): boolean {
  return text === 't';
}

/** A copy, so that a few bytes do not keep Node's whole buffer pool page. */
function asBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

function asMicros(text: string): number {
  return simpleMicros(text) ?? anyMicros(text);
}

/** `YYYY-MM-DD HH:MM:SS[.ffffff][+00]`, undefined for anything else. */
function simpleMicros(text: string): number | undefined {
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(10) !== 32) return undefined;
  let end = text.length;
  if (text.endsWith('+00')) end -= 3;
  if (end < 19 || end > 26 || end === 20) return undefined;
  if (end > 19 && text.charCodeAt(19) !== 46) return undefined;
  let fraction = 0;
  for (let i = 20; i < 26; i++) {
    const digit = i < end ? text.charCodeAt(i) - ZERO : 0;
    if (digit < 0 || digit > 9) return undefined;
    fraction = fraction * 10 + digit;
  }
  const days = daysFromCivil(two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8));
  const seconds = two(text, 11) * 3600 + two(text, 14) * 60 + two(text, 17);
  return days * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + fraction;
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

const TIMESTAMP =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/** Years of more than four digits, years before Christ, other offsets than UTC, and infinity. */
function anyMicros(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const match = TIMESTAMP.exec(text);
  if (!match) throw new Error(`not a timestamp in ISO style: ${JSON.stringify(text)}`);
  const part = (index: number) => Number(match[index] ?? 0);
  const year = match[12] ? 1 - part(1) : part(1);
  const offset = (part(9) * 3600 + part(10) * 60 + part(11)) * (match[8] === '-' ? -1 : 1);
  const seconds = part(4) * 3600 + part(5) * 60 + part(6) - offset;
  const micros = Number((match[7] ?? '').padEnd(6, '0'));
  return daysFromCivil(year, part(2), part(3)) * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + micros;
}

/** By type oid (pg_type.dat). */
const DECODERS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [16, asBoolean], // boolean
  [17, asBytes], // bytea
  [20, asBigInteger], // bigint
  [21, asInteger], // smallint
  [23, asInteger], // integer
  [26, asInteger], // oid
  [700, Number], // real
  [701, Number], // double precision
  [1114, asMicros], // timestamp
  [1184, asMicros], // timestamptz
]);
