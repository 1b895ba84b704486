import type { Row, Value } from '../../../record/value.ts';
import { blocks, type ProfilesAudit } from '../../profiles-audit.ts';

/** What a row is where the log did not carry all of it: it cannot be shown. */
export const UNKNOWN = Symbol('unknown');

/** Rows of a small table by their key, whole: what lists join at read. About 200 bytes a row. */
export class Profiles {
  readonly #id: string;
  readonly #columns: readonly string[];
  readonly rows = new Map<unknown, Row | typeof UNKNOWN>();

  constructor(options: { id: string; keep: readonly string[] }) {
    this.#id = options.id;
    this.#columns = [options.id, ...options.keep];
  }

  /** The row, null where there is none, undefined where it is not known whole. */
  get(id: unknown): Row | null | undefined {
    const row = this.rows.get(id);
    return row === UNKNOWN ? undefined : (row ?? null);
  }

  /** The row that had the key `oldId` is now `values`. */
  put(oldId: unknown, values: Row): void {
    const id = values[this.#id];
    const known = this.rows.get(oldId) ?? this.rows.get(id);
    const row: Record<string, Row[string]> = {};
    let whole = true;
    for (const column of this.#columns) {
      row[column] = values[column] === undefined && typeof known === 'object' ? known[column] : values[column];
      if (row[column] === undefined) whole = false;
    }
    if (oldId !== id) this.rows.delete(oldId);
    this.rows.set(id, whole ? row : UNKNOWN);
  }

  delete(id: unknown): void {
    this.rows.delete(id);
  }

  clear(): void {
    this.rows.clear();
  }

  /** What tells everything held, for a store outside of the process to be compared with this. */
  *audit(): Generator<ProfilesAudit> {
    for (const ids of blocks(this.rows.keys() as Iterable<Value>)) yield { ask: 'profiles held', ids };
    yield { ask: 'profile count' };
  }

  audited(query: ProfilesAudit): unknown {
    if (query.ask === 'profile count') return this.rows.size;
    return query.ids.map((id) => {
      const row = this.rows.get(id);
      return row === UNKNOWN ? 'not known' : (row ?? null);
    });
  }

  get bytes(): number {
    return this.rows.size * 200;
  }
}
