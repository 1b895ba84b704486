import type { Static } from 'typebox';
import type { Cache } from '../../../services/heroes/schemas.ts';

export type { Hero } from '../../../services/heroes/hero.ts';
export type { Percentiles } from '../../../services/heroes/latency.ts';

/** `GET /heroes/cache` */
export type CacheReport = Static<typeof Cache>;

/** Where reads go, and whether writes put their row into the cache. */
export type Source = 'cache' | 'record';

export const SOURCES = [
  ['cache', 'With the cache'],
  ['record', 'Without'],
] as const;
