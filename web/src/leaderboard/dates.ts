/** `2026-11-20`: a day in UTC. */
export type Day = string;

export function today(): Day {
  return new Date().toISOString().slice(0, 10);
}

export function isDay(text: string | null): text is Day {
  return (
    text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && shifted(text, 0) === text
  );
}

export function shifted(day: Day, days: number): Day {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

const formats = {
  day: new Intl.DateTimeFormat('en', { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long' }),
  month: new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'long', year: 'numeric' }),
  clock: new Intl.DateTimeFormat('en', { timeZone: 'UTC', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  date: new Intl.DateTimeFormat('en', { timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' }),
};

/** In words: `Friday, November 20`, `November 2026`, `14:05`, `Nov 20, 2026`. */
export function worded(time: Day | string, form: keyof typeof formats): string {
  return formats[form].format(new Date(time.length === 10 ? `${time}T00:00:00Z` : `${time.replace(' ', 'T')}Z`));
}
