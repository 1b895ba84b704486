import { identifier, qualified } from '../../changes/quote.ts';
import type { Row } from '../../record/value.ts';
import { arrayOf, type LazySource, type Lease, rowsByKey, seenColumn } from '../lazy.ts';
import { MemoryRowCache } from '../stores/memory/row-cache.ts';
import { StoredRowCache } from '../stores/valkey/row-cache.ts';
import type { ViewDefinition } from '../view.ts';
import { byVisibility } from './lease.ts';
import type { RowsQuery } from './queries.ts';
import { jsonOf } from './row-json.ts';

export interface RowCacheOptions<R extends object = Row> {
  /** `schema.name` */
  readonly table: string;
  /** The primary key: one column. */
  readonly id: string & keyof R;
  /** Its type; `integer` unless told. */
  readonly idType?: 'integer' | 'bigint' | 'text' | 'uuid';
  /** The other columns that rows have, in their order. */
  readonly columns: readonly (string & keyof R)[];
  /** Milliseconds after which a row is let go of, counted from when it was read or last changed; never unless told. */
  readonly ttlMs?: number;
  /** The same for keys without a row; 10,000 unless told, and never longer than `ttlMs`. */
  readonly absentTtlMs?: number;
  /** What the rows may take in memory (of the process, or of Valkey), in bytes; 64 MiB unless told. */
  readonly maxBytes?: number;
  /** What makes room: `lru` lets go of the row that was not asked for the longest. */
  readonly eviction?: 'lru';
}

/** A row cache as its state and its SQL see it. */
export interface RowCacheShape {
  readonly table: string;
  readonly id: string;
  readonly idType: string;
  /** All of them, the key first. */
  readonly columns: readonly string[];
  readonly ttlMs: number;
  readonly absentTtlMs: number;
  readonly maxBytes: number;
  readonly eviction: 'lru';
  readonly lease: Lease;
  /** Milliseconds; from wherever it likes. */
  readonly clock: () => number;
}

/**
 * Rows of a table by key, filled on demand: what was asked for is held, as JSON text, until there is no room or its time is
 * over, and every change in the record changes it in commit order, whoever made it. Keys without a row are held too, and their
 * row appears when it is created. `ViewHandle.hold` is write-through.
 */
export function rowCache<R extends object = Row>(
  options: RowCacheOptions<NoInfer<R>>,
  parts: { readonly lease?: Lease; readonly clock?: () => number } = {},
): ViewDefinition<RowsQuery> {
  const shape = shapeOf(options, parts);
  const sql = readSql(shape);
  const json = jsonOf(shape.columns);
  const lazy: LazySource<RowsQuery> = {
    sql,
    id: shape.id,
    keysOf: ({ ids }) => ids,
    answerFrom: ({ ids }, rows) => ids.map((id) => textOf(rows.get(id), json)),
    beside: (served) => new MemoryRowCache({ shape, like: (served as MemoryRowCache).keys() }),
  };
  return {
    kind: 'row-cache',
    sources: [{ table: shape.table, columns: shape.columns }],
    lazy,
    build: () => new MemoryRowCache({ shape }),
    stored: new StoredRowCache({ shape, ...(parts.clock && { now: parts.clock }) }),
    async answerFromRecord(reader, queries) {
      const keys = [...new Set(queries.flatMap(({ ids }) => ids))];
      const rows = rowsByKey(await reader.query(sql, [arrayOf(keys)]), shape.id, keys);
      return queries.map((query) => lazy.answerFrom(query, rows));
    },
  };
}

function textOf(row: Row | null | undefined, json: (row: Row) => string): string | null {
  return row ? json(row) : null;
}

function shapeOf<R extends object>(
  options: RowCacheOptions<R>,
  { lease = byVisibility, clock = () => performance.now() }: { lease?: Lease; clock?: () => number },
): RowCacheShape {
  const { table, id, idType = 'integer', maxBytes = 64 * 2 ** 20, eviction = 'lru' } = options;
  const { ttlMs = Number.POSITIVE_INFINITY, absentTtlMs = 10_000 } = options;
  const columns = [id, ...options.columns.filter((column) => column !== id)];
  const base = { table, id, idType, columns, maxBytes, eviction, lease, clock };
  return { ...base, ttlMs, absentTtlMs: Math.min(ttlMs, absentTtlMs) };
}

/**
 * One round trip for all keys; each appears once, with or without a row. `offset 0` keeps the look-ups by index: with keys by the
 * hundred the planner would read the whole table.
 */
function readSql({ table, id, idType, columns }: RowCacheShape): string {
  const named = columns.map((column) => `found.${identifier(column)}`).join(', ');
  const selected = columns.map(identifier).join(', ');
  return `select asked.lockstep_key, ${named}, ${seenColumn('asked.place')}
    from (values (1)) as one
    left join unnest($1::${idType}[]) with ordinality as asked (lockstep_key, place) on true
    left join lateral (
      select ${selected} from ${qualified(table)} where ${identifier(id)} = asked.lockstep_key offset 0
    ) as found on true`;
}
