/** Rows that a view cannot hold as they are, of which one is told. */
export interface Unheld {
  readonly table: string;
  readonly count: number;
  /** One of them. */
  readonly id: unknown;
  readonly reason: string;
}

/** For the operator, as `ViewStats.unheld`. */
export function unheldText({ table, count, id, reason }: Unheld): string {
  const others = count > 1 ? `, and ${(count - 1).toLocaleString('en')} more` : '';
  return `it cannot hold the row ${id} of ${table}${others}: ${reason}`;
}

/** Of a row whose old values are not held either: the table has them all. */
export const INCOMPLETE = 'the log did not carry all of its values; rebuild the view';
