import { type RowCacheOptions, rowCache } from '../../src/index.ts';
import { FIELDS, type Hero } from './hero.ts';
import { cacheLimits, DEFAULTS, readSettings } from './settings.ts';

export const CACHE: RowCacheOptions<Hero> = {
  table: 'heroes.heroes',
  id: 'id',
  columns: FIELDS,
  eviction: 'lru',
  ...cacheLimits(DEFAULTS),
};

export const views = { heroes: rowCache<Hero>(CACHE) };

/** The cache with the limits that the configuration sets. */
export function viewsFor(settings: Readonly<Record<string, unknown>>): typeof views {
  return { heroes: rowCache<Hero>({ ...CACHE, ...cacheLimits(readSettings(settings)) }) };
}
