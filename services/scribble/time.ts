import { ClientError, isoToMicros } from '../../src/index.ts';

/** The years of four digits that PostgreSQL has too: from `EARLIEST` on, before `END` (microseconds since 1970 UTC). */
export const EARLIEST = isoToMicros('0001-01-01')!;
const END = isoToMicros('+010000-01-01')!;

/** A time as clients write it, to microseconds since 1970 UTC. Throws 400. */
export function timeOf(name: string, text: string): number {
  const micros = isoToMicros(text);
  if (micros !== undefined && micros >= EARLIEST && micros < END) return micros;
  throw new ClientError(
    400,
    `${name} must be a time such as 2026-11-20T12:00:00Z, from the year 1 to 9999 in UTC, found ${JSON.stringify(text.slice(0, 40))}.`,
  );
}
