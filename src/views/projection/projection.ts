import type { Row } from '../../record/value.ts';

/** A value for the target, in a form that PostgreSQL casts to the column's type. */
export type TargetValue = string | number | bigint | boolean | null | { toString(): string };
/** By column: those of `columns`, not the key's. */
export type TargetRow = Readonly<Record<string, TargetValue>>;

/** One table of the record and the rows of another table that follow from it. */
export interface ProjectedTable {
  /** `schema.name` in the record. */
  readonly source: string;
  /** `schema.name` in the target. The projection owns these columns of its rows, and nothing else in it. */
  readonly target: string;
  /** The unique key of the target's rows: column to SQL type. */
  readonly key: Readonly<Record<string, string>>;
  /** The other columns that are projected: column to SQL type. */
  readonly columns: Readonly<Record<string, string>>;
  /** The target's key, from the columns of the source's key: two source rows never have the same. */
  keyOf(sourceKey: Row): TargetRow;
  /** The target's row, or null where the source row has none. A pure function. What it throws makes the row a dead letter. */
  rowOf(source: Row): TargetRow | null;
}

/**
 * A view in SQL: rows of other tables, in the record's database or another one, that follow from the record's, each exactly
 * once: effect and position are one transaction of the target. What cannot be projected goes to the dead letters, holds back
 * later changes of its key, and nothing else.
 */
export interface ProjectionDefinition {
  readonly kind: 'projection';
  /** Numbered `.sql` files that make the target's tables; applied to the target's database. */
  readonly migrations: URL;
  /** The schema these tables are in. */
  readonly schema: string;
  /** In the order in which rows are written, so that foreign keys between the targets hold; deleted in the opposite order. */
  readonly tables: readonly ProjectedTable[];
}

export function projection(definition: Omit<ProjectionDefinition, 'kind'>): ProjectionDefinition {
  for (const { source, target, key } of definition.tables) {
    if (Object.keys(key).length === 0) throw new TypeError(`the projection of ${source} into ${target} needs a key`);
  }
  return { kind: 'projection', ...definition };
}
