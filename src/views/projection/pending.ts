import type { Change } from '../../changes/change.ts';
import type { Row } from '../../record/value.ts';
import type { ProjectedTable, TargetRow, TargetValue } from './projection.ts';

/** What is to become of one row of the target. */
export interface PendingRow {
  /** The target's key, as texts. */
  readonly key: readonly string[];
  /** The source row as of now; null: deleted. Kept with a dead letter. */
  readonly source: Row | null;
  /** The other columns as texts; null: the target has no such row. */
  readonly values: readonly (string | null)[] | null;
  /** Why the source row cannot be projected. */
  readonly fault: string | null;
  /** The source's key where the log does not carry all of the row (a large value that the update left untouched): to be read. */
  readonly partial: Row | null;
}

/** What is to become of one source row, all of which is known. */
export function projectRow(table: ProjectedTable, source: Row): PendingRow {
  const key = keyTexts(table, source);
  try {
    const row = table.rowOf(source);
    return { key, source, values: row && texts(table.columns, row), fault: null, partial: null };
  } catch (error) {
    return { key, source, values: null, fault: error instanceof Error ? error.message : String(error), partial: null };
  }
}

/** The target's row of this key is to be deleted. */
export function goneRow(key: readonly string[]): PendingRow {
  return { key, source: null, values: null, fault: null, partial: null };
}

function changedRow(table: ProjectedTable, source: Row, sourceKey: readonly string[]): PendingRow {
  if (!Object.values(source).includes(undefined)) return projectRow(table, source);
  const partial = Object.fromEntries(sourceKey.map((name) => [name, source[name]]));
  return { ...goneRow(keyTexts(table, source)), source, partial };
}

export function keyTexts(table: ProjectedTable, source: Row): string[] {
  return texts(table.key, table.keyOf(source)) as string[];
}

function texts(columns: Readonly<Record<string, string>>, row: TargetRow): (string | null)[] {
  return Object.keys(columns).map((name) => text(row[name] ?? null));
}

function text(value: TargetValue): string | null {
  return value === null ? null : String(value);
}

/** One name for a key. */
export function keyName(key: readonly string[]): string {
  return JSON.stringify(key);
}

/** Keys that are known; an older half is forgotten when there are too many. */
const MAX_ABSENT = 200_000;

/**
 * Keys of which the target has no row, as the stream has shown: a source row that was new and had none, and has had none since. What
 * becomes of most source rows on their way to having one (a trip that is accepted, say) so needs no statement.
 */
export class AbsentKeys {
  #young = new Set<string>();
  #old = new Set<string>();

  has(name: string): boolean {
    return this.#young.has(name) || this.#old.has(name);
  }

  add(name: string): void {
    this.#young.add(name);
    if (this.#young.size < MAX_ABSENT / 2) return;
    this.#old = this.#young;
    this.#young = new Set();
  }

  delete(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }
}

/** The changes that wait to be written to one table of the target: the last state of each key, since only that matters. */
export class PendingTable {
  readonly rows = new Map<string, PendingRow>();
  /** The source was emptied before these changes. */
  truncated = false;
  readonly #table: ProjectedTable;
  readonly #absent: AbsentKeys;

  /** `absent`: the stream's, of this table. */
  constructor(table: ProjectedTable, absent: AbsentKeys) {
    this.#table = table;
    this.#absent = absent;
  }

  get empty(): boolean {
    return this.rows.size === 0 && !this.truncated;
  }

  /** `held`: a dead letter holds this key back, which so needs to know of every change. */
  add(change: Change, held: (name: string) => boolean): void {
    if (change.op === 'truncate') {
      this.rows.clear();
      this.truncated = true;
    } else if (change.op === 'delete') this.#gone(change.before);
    else {
      if (change.before) this.#moved(change.before, change.after);
      this.#put(changedRow(this.#table, change.after, change.table.key), change.op === 'insert', held);
    }
  }

  #put(row: PendingRow, isNew: boolean, held: (name: string) => boolean): void {
    const name = keyName(row.key);
    if (row.values !== null || row.fault !== null || row.partial) this.#absent.delete(name);
    else if (!this.rows.has(name) && (isNew || this.#absent.has(name)) && !held(name)) {
      this.#absent.add(name); // the target has no such row
      return;
    }
    this.rows.set(name, row);
  }

  #moved(before: Row, after: Row): void {
    if (keyName(keyTexts(this.#table, before)) !== keyName(keyTexts(this.#table, after))) this.#gone(before);
  }

  #gone(before: Row): void {
    const key = keyTexts(this.#table, before);
    this.rows.set(keyName(key), goneRow(key));
  }
}
