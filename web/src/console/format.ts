const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.4 MiB` */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${short(value / 1024 ** power)} ${UNITS[power]}`;
}

/** `0.84 ms`, `1.2 s` */
export function ms(value: number | null | undefined): string {
  if (value == null) return '–';
  return value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`;
}

/** `3.2`, `140`, `12.4k` */
export function rate(value: number | null | undefined): string {
  if (value == null) return '–';
  if (value >= 1e6) return `${short(value / 1e6)}M`;
  return value >= 10_000 ? `${short(value / 1000)}k` : short(value);
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

export function percent(value: number | null | undefined): string {
  return value == null ? '–' : `${short(value * 100)} %`;
}

/** `4 min`, `2 h 5 min`, `3 d 4 h` */
export function duration(seconds: number): string {
  const [minutes, hours, days] = [seconds / 60, seconds / 3600, seconds / 86_400].map(Math.floor) as [
    number,
    number,
    number,
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

/** A position's last part: where in the log, without which log. */
export function place(position: string | null): string {
  return position?.split('-').at(-1) ?? '–';
}

/** Two or three significant digits. */
function short(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
