import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseValkeyUrl, redactValkeyUrl, type ValkeyAddress } from './url.ts';

const PLAIN: ValkeyAddress = {
  hosts: [{ host: 'cache', port: 6379 }],
  cluster: false,
  username: undefined,
  password: undefined,
  database: 0,
  tls: undefined,
};
const TLS = { ca: undefined, cert: undefined, key: undefined, servername: undefined };

test('addresses of one server', () => {
  const urls: Record<string, ValkeyAddress> = {
    'redis://cache': PLAIN,
    'valkey://cache:6379/': PLAIN,
    'redis://cache:7000/3': { ...PLAIN, hosts: [{ host: 'cache', port: 7000 }], database: 3 },
    'redis://[::1]:7000': { ...PLAIN, hosts: [{ host: '::1', port: 7000 }] },
    'redis://:geheim@cache': { ...PLAIN, password: 'geheim' },
    'redis://app:p%40ss:w%2Frd@cache': { ...PLAIN, username: 'app', password: 'p@ss:w/rd' },
    'rediss://cache': { ...PLAIN, tls: TLS },
    'valkeys://cache?ca=/etc/ca.pem&servername=cache.local': {
      ...PLAIN,
      tls: { ...TLS, ca: '/etc/ca.pem', servername: 'cache.local' },
    },
  };
  for (const [url, address] of Object.entries(urls)) assert.deepEqual(parseValkeyUrl(url), address, url);
});

test('several hosts are a Cluster, and so is one that says it', () => {
  const hosts = [1, 2, 3].map((n) => ({ host: `node${n}`, port: 7000 + n }));
  assert.deepEqual(parseValkeyUrl('redis://app:x@node1:7001,node2:7002,node3:7003'), {
    ...PLAIN,
    ...{ hosts, cluster: true, username: 'app', password: 'x' },
  });
  assert.equal(parseValkeyUrl('rediss://configuration.example.org?cluster=true')?.cluster, true);
});

test('what is no address', () => {
  const wrong = [
    ...['', 'cache:6379', 'http://cache', 'redis://', 'redis://cache:0', 'redis://cache:70000', 'redis://a b'],
    ...['redis://a,,b', 'redis://a,b/2', 'redis://cache/x', 'redis://cache?timeout=3', 'redis://cache?ca=/etc/ca.pem'],
    'redis://%zz@cache',
  ];
  for (const url of wrong) assert.equal(parseValkeyUrl(url), undefined, url);
});

test('a password is never shown', () => {
  assert.equal(redactValkeyUrl('redis://app:geheim@a:1,b:2/0?cluster=true'), 'redis://app:***@a:1,b:2/0?cluster=true');
  assert.equal(redactValkeyUrl('redis://:geheim@a'), 'redis://:***@a');
  assert.equal(redactValkeyUrl('redis://a:6379'), 'redis://a:6379');
  assert.equal(redactValkeyUrl('geheim'), '***');
});
