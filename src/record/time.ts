/**
 * Times as microseconds since 1970-01-01 UTC (proleptic Gregorian), the form Lockstep uses inside: exact until the year 2255.
 * JavaScript's Date holds milliseconds only, and ends before PostgreSQL's timestamps do.
 */

export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND;

let anchor = Date.now() - performance.now();

/** Now, to the microsecond where the clock gives it. Follows the wall clock when that is set. */
export function nowMicros(): number {
  const wall = Date.now();
  const precise = anchor + performance.now();
  if (Math.abs(precise - wall) <= 2) return Math.floor(precise * 1000);
  anchor = wall - performance.now();
  return wall * 1000;
}

/**
 * Days from 1970-01-01 to a date; `month` 1 to 12; year 0 is 1 BC.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of {@link daysFromCivil}. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

/**
 * `2020-05-12T18:32:43.409Z`; six digits of the fraction where there are microseconds. Years beyond four digits have a sign
 * and six digits, as in JavaScript. `infinity` and `-infinity` as PostgreSQL writes them.
 */
export function microsToIso(micros: number): string {
  if (!Number.isFinite(micros)) return micros > 0 ? 'infinity' : '-infinity';
  const days = Math.floor(micros / MICROS_PER_DAY);
  const ofDay = micros - days * MICROS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const seconds = Math.floor(ofDay / MICROS_PER_SECOND);
  const fraction = ofDay - seconds * MICROS_PER_SECOND;
  const digits = fraction % 1000 === 0 ? padded(fraction / 1000, 3) : padded(fraction, 6);
  const clock = `${padded(Math.floor(seconds / 3600), 2)}:${padded(Math.floor(seconds / 60) % 60, 2)}:${padded(seconds % 60, 2)}`;
  return `${isoYear(year)}-${padded(month, 2)}-${padded(day, 2)}T${clock}.${digits}Z`;
}

function isoYear(year: number): string {
  if (year >= 0 && year <= 9999) return padded(year, 4);
  return `${year < 0 ? '-' : '+'}${padded(Math.abs(year), 6)}`;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

const ISO =
  /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?(?:(Z)|([+-])(\d\d):?(\d\d)?)?)?$/i;

/**
 * An ISO 8601 date or date and time to microseconds, or undefined where it is none (February 30 included). Without an
 * offset it is UTC; digits beyond the microsecond are cut off.
 */
export function isoToMicros(text: string): number | undefined {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const match = ISO.exec(text);
  if (!match) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59 || part(10) > 23 || part(11) > 59)
    return undefined;
  const offset = (part(10) * 3600 + part(11) * 60) * (match[9] === '-' ? -1 : 1);
  const seconds = hour * 3600 + minute * 60 + second - offset;
  const micros = Number((match[7] ?? '').padEnd(6, '0'));
  return daysFromCivil(year, month, day) * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + micros;
}

/** Whether the calendar has this day; `month` 1 to 12. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
  return day <= next - daysFromCivil(year, month, 1);
}

/** Whether a text is a day such as `2019-11-06`: one of the calendar, and not of the year 0, which SQL does not have. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !text.startsWith('0000') && isoToMicros(text) !== undefined;
}
