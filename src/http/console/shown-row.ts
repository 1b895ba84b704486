import type { Change, Column } from '../../changes/change.ts';
import { microsToIso } from '../../record/time.ts';
import type { Row, Value } from '../../record/value.ts';

/** A change as people read it. */
export interface ShownChange {
  readonly op: Change['op'];
  readonly table: string;
  /** The key's columns. */
  readonly key: Readonly<Record<string, string>>;
  /** The other columns: those of the new row; of an update whose old row is known, those that changed. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Characters of one value. */
const MAX_TEXT = 120;
/** Columns of one row. */
const MAX_COLUMNS = 30;
/** `timestamp` and `timestamptz` (pg_type.dat). */
const TIMES = new Set([1114, 1184]);

export function shownChange({ op, table, before, after }: Change): ShownChange {
  const row = after ?? before ?? {};
  const isKey = ({ name }: Column) => table.key.includes(name);
  const isNews = ({ name }: Column) => op !== 'update' || !before || !(name in before) || before[name] !== row[name];
  return {
    op,
    table: table.name,
    key: shown(table.columns.filter(isKey), row),
    columns:
      op === 'delete'
        ? {}
        : shown(
            table.columns.filter((column) => !isKey(column) && isNews(column)),
            row,
          ),
  };
}

function shown(columns: readonly Column[], row: Row): Record<string, string> {
  const told = columns.slice(0, MAX_COLUMNS).filter(({ name }) => row[name] !== undefined);
  return Object.fromEntries(told.map(({ name, type }) => [name, text(row[name], type)]));
}

function text(value: Value, type: number): string {
  if (typeof value === 'number' && TIMES.has(type)) return microsToIso(value);
  if (value instanceof Uint8Array) return `${value.length.toLocaleString('en')} bytes`;
  const whole = value === null ? 'null' : String(value);
  return whole.length > MAX_TEXT ? `${whole.slice(0, MAX_TEXT)}…` : whole;
}
