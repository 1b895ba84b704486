import { type RowCacheOptions, rowCache } from '../../src/index.ts';
import { FIELDS, type Hero } from './hero.ts';

export const CACHE: RowCacheOptions<Hero> = {
  table: 'heroes.heroes',
  id: 'id',
  columns: FIELDS,
  ttlMs: 10 * 60_000,
  absentTtlMs: 10_000,
  maxBytes: 64 * 2 ** 20,
  eviction: 'lru',
};

export const views = { heroes: rowCache<Hero>(CACHE) };
