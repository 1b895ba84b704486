import { ClientError, isoToMicros } from '../../src/index.ts';

/** A time as clients write it, to microseconds since 1970 UTC. Throws 400. */
export function timeOf(name: string, text: string): number {
  const micros = isoToMicros(text);
  if (micros !== undefined && Number.isFinite(micros)) return micros;
  throw new ClientError(
    400,
    `${name} must be a time such as 2026-11-20T12:00:00Z, found ${JSON.stringify(text.slice(0, 40))}.`,
  );
}
