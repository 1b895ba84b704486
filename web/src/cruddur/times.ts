import { useEffect, useState } from 'react';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The present time, moving every half minute: so that ages and expiries stay true. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE / 2);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** `now`, `5 min`, `3 h`, `2 d`: short, for beside a name. */
export function span(ms: number): string {
  if (ms < MINUTE) return 'now';
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`;
}

/** How long something still lasts: `7 d`, `23 h`, `5 min`, rounded up. */
export function remaining(ms: number): string {
  if (ms <= HOUR) return `${Math.ceil(ms / MINUTE)} min`;
  return ms <= 2 * DAY ? `${Math.ceil(ms / HOUR)} h` : `${Math.ceil(ms / DAY)} d`;
}

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const date = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });

/** The time of a message: today's by the clock, others with their day. */
export function messageTime(iso: string): string {
  const time = new Date(iso);
  const today = new Date().toDateString() === time.toDateString();
  return today ? clock.format(time) : `${date.format(time)}, ${clock.format(time)}`;
}
