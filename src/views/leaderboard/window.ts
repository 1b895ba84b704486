import { ClientError } from '../../record/errors.ts';
import type { BoardOf } from './queries.ts';

/** Microseconds in a day; UTC days have no leap seconds here, as in PostgreSQL. */
export const DAY = 86_400_000_000;

/** Days since 1970-01-01 UTC. Infinite for infinite times. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY);
}

/**
 * The month a day lies in, counted from January of the year 0; not a number for an infinite day. Proleptic Gregorian, as
 * PostgreSQL's. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 */
export function monthOf(day: number): number {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // Years begin in March here, so that the leap day comes last.
  const sinceMarch = Math.floor((5 * dayOfYear + 2) / 153);
  return (yearOfEra + era * 400) * 12 + 2 + sinceMarch;
}

/** The number of the day or month that a board's window is; undefined for `overall`. Throws ClientError 400 without a valid date. */
export function windowNumber({ window, date }: BoardOf): number | undefined {
  if (window === 'overall') return undefined;
  const day = parseDay(date);
  return window === 'daily' ? day : monthOf(day);
}

/** The days since 1970-01-01 of a `yyyy-mm-dd`. Throws ClientError 400 for anything else, and for dates that do not exist. */
export function parseDay(date: string | undefined): number {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date ?? '');
  if (!match) throw new ClientError(400, `The date must be written yyyy-mm-dd, as in 2026-11-20${found(date)}.`);
  const time = Date.parse(`${date}T00:00:00Z`);
  // Date turns 30 February into 2 March.
  const exists = !Number.isNaN(time) && new Date(time).toISOString().startsWith(date!) && match[1] !== '0000';
  if (!exists) throw new ClientError(400, `There is no such date${found(date)}.`);
  return dayOf(time * 1000);
}

/** The first moment of a board's window and the first one after it, for SQL; undefined for `overall`. Throws as `parseDay` does. */
export function windowBounds({ window, date }: BoardOf): readonly [from: string, to: string] | undefined {
  if (window === 'overall') return undefined;
  const start = new Date((parseDay(date) * DAY) / 1000);
  const monthly = window === 'monthly';
  if (monthly) start.setUTCDate(1);
  const end = new Date(start);
  if (monthly) end.setUTCMonth(start.getUTCMonth() + 1);
  else end.setUTCDate(start.getUTCDate() + 1);
  return [start, end].map(timestamp) as [string, string];
}

/** As PostgreSQL reads it, beyond the year 9999 too, which ISO 8601 in JavaScript writes with a sign. */
function timestamp(date: Date): string {
  return date.toISOString().replace(/^\+0*/, '');
}

function found(date: string | undefined): string {
  return date === undefined ? '' : `; found ${JSON.stringify(date.slice(0, 40))}`;
}
