import type { FastifyInstance } from 'fastify';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';

/** How the cache does, and what it saves. */
export function cacheRoute(app: FastifyInstance, { views: { heroes }, reads: { latency } }: Parts): void {
  app.get(
    '/cache',
    { schema: { tags: schemas.TAGS, summary: 'How the cache does', response: { 200: schemas.Cache } } },
    async () => {
      const { entries, bytes, cache } = heroes.status();
      const {
        hits = 0,
        misses = 0,
        statements: queries = 0,
        evictions = 0,
        expirations = 0,
        refusals = 0,
      } = cache ?? {};
      const { maxBytes = 0, eviction = 'none', ttlMs = 0 } = cache ?? {};
      return {
        hits,
        misses,
        hitRatio: hits + misses > 0 ? hits / (hits + misses) : null,
        rows: entries,
        bytes,
        maxBytes,
        queries,
        evictions,
        expirations,
        refusals,
        eviction,
        ttlSeconds: Number.isFinite(ttlMs) ? ttlMs / 1000 : null,
        latency: {
          cached: latency.cached.percentiles(),
          filled: latency.filled.percentiles(),
          uncached: latency.uncached.percentiles(),
        },
      };
    },
  );
}
