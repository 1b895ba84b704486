/** When a schedule runs: so long after its last run ended (milliseconds), or each day at a time in UTC (`23:55`). */
export type Timing = { readonly everyMs: number } | { readonly dailyAt: string };

const DAY_MS = 86_400_000;
/** A failed daily run is tried again after this. */
const RETRY_MS = 60_000;

/** The timing as kept in the record. Throws for one that is none. */
export function timingText(timing: Timing): string {
  if ('everyMs' in timing) {
    if (timing.everyMs >= 100 && timing.everyMs <= 30 * DAY_MS) return `every ${timing.everyMs} ms`;
    throw new RangeError(`everyMs is ${timing.everyMs}; expected milliseconds, from 100 to 30 days`);
  }
  dayOffset(timing.dailyAt);
  return `daily at ${timing.dailyAt} UTC`;
}

/** The first time due after `now` (milliseconds since 1970 UTC). */
export function nextDue(timing: Timing, now: number): number {
  if ('everyMs' in timing) return now + timing.everyMs;
  const today = Math.floor(now / DAY_MS) * DAY_MS + dayOffset(timing.dailyAt);
  return today > now ? today : today + DAY_MS;
}

/** When a run that failed at `now` is tried again. */
export function nextTry(timing: Timing, now: number): number {
  return Math.min(nextDue(timing, now), now + RETRY_MS);
}

function dayOffset(time: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!match) throw new RangeError(`dailyAt is ${JSON.stringify(time)}; expected a time of day in UTC such as 23:55`);
  return (Number(match[1]) * 60 + Number(match[2])) * 60_000;
}
