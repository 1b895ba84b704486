/** What one part of the benchmark found, to be printed and written down. */
export interface Findings {
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How it was measured. */
  readonly note?: string;
}

export interface Target {
  readonly what: string;
  /** `at least 3`, `at most 0.3 ms` */
  readonly wanted: string;
  readonly found: string;
  readonly reached: boolean;
}

export function atLeast(what: string, limit: number, found: number, unit = ''): Target {
  return { what, wanted: `at least ${text(limit, unit)}`, found: text(found, unit), reached: found >= limit };
}

export function atMost(what: string, limit: number, found: number, unit = ''): Target {
  return { what, wanted: `at most ${text(limit, unit)}`, found: text(found, unit), reached: found <= limit };
}

/** Three significant digits, or all of a whole number. */
function text(value: number, unit: string): string {
  const digits =
    value >= 100 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : `${Number(value.toPrecision(3))}`;
  return `${digits}${unit && ` ${unit}`}`;
}
