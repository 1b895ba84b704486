/** A row of the table, as the API gives it. */
export interface Hero {
  readonly id: number;
  readonly hero: string;
  readonly power: string;
  readonly name: string;
  readonly xp: number;
  readonly color: string;
}

export interface Percentiles {
  readonly count: number;
  readonly total: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** `GET /heroes/cache` */
export interface CacheReport {
  readonly hits: number;
  readonly misses: number;
  readonly hitRatio: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly evictions: number;
  readonly eviction: string;
  readonly ttlSeconds: number;
  readonly latency: { readonly cached: Percentiles; readonly filled: Percentiles; readonly uncached: Percentiles };
}

/** Where reads go, and whether writes put their row into the cache. */
export type Source = 'cache' | 'record';

export const SOURCES = [
  ['cache', 'With the cache'],
  ['record', 'Without'],
] as const;
