import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheLimits, DEFAULTS, readSettings } from './settings.ts';

test('settings are checked, and what is not set is as it is by default', () => {
  assert.deepEqual(readSettings(), DEFAULTS);
  assert.deepEqual(cacheLimits(readSettings({ ttlSeconds: 0, cacheBytes: 100_000 })), {
    maxBytes: 100_000,
    ttlMs: Number.POSITIVE_INFINITY,
    absentTtlMs: 10_000,
  });
  for (const [given, message] of [
    [{ ttl: 5 }, 'services.heroes.ttl: there is no such setting; there are cacheBytes, ttlSeconds, absentTtlSeconds.'],
    [{ cacheBytes: 10 }, 'services.heroes.cacheBytes is 10: expected a whole number from 65536 to 1099511627776.'],
    [{ ttlSeconds: '5' }, 'services.heroes.ttlSeconds is "5": expected a whole number from 0 to 31536000.'],
  ] as const)
    assert.throws(() => readSettings(given), { message });
});
