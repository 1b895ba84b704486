/** How numbers are shown to people. Machines get them unrounded, with `--json`. */

const number = new Intl.NumberFormat('en-US');

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return number.format(value);
}

/** `1536` as `1.5 KiB`; whole bytes below that. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${power === 0 ? count(value) : (value / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** Seconds as `0.4 s`, `12 s` or `3 min 20 s`. */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
