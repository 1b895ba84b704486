import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInfo, unfitness } from './fitness.ts';

function info(lines: Record<string, string>): string {
  return `# Server\r\n${Object.entries(lines).map(([name, value]) => `${name}:${value}\r\n`)}`.replaceAll(',', '');
}

const REDIS = { redis_version: '7.0.15', maxmemory_policy: 'noeviction' };

test('servers that views can live on', () => {
  const valkey = { redis_version: '7.2.4', valkey_version: '8.1.0', maxmemory_policy: 'volatile-lru' };
  assert.equal(readInfo(info(valkey)).name, 'Valkey 8.1.0');
  for (const lines of [REDIS, valkey]) assert.equal(unfitness(readInfo(info(lines))), undefined);
});

test('a policy that would evict keys of views is refused with the fix', () => {
  for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
    const reason = unfitness(readInfo(info({ ...REDIS, maxmemory_policy: policy })));
    assert.match(reason!, new RegExp(`${policy}.*CONFIG SET maxmemory-policy noeviction`));
  }
});

test('a server that is too old is refused', () => {
  assert.match(unfitness(readInfo(info({ ...REDIS, redis_version: '6.2.14' })))!, /Redis 6\.2\.14.*Redis 7 or newer/);
});
