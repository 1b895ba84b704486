import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHosts, withHosts } from './hosts.ts';

test('several hosts are one URL each', () => {
  const hosted = parseHosts(
    'postgresql://u:p%40s@db1:5432,db2,[::1]:5/shop?target_session_attrs=read-write&sslmode=require',
  );
  assert.deepEqual(hosted, {
    urls: [
      'postgresql://u:p%40s@db1:5432/shop?sslmode=require',
      'postgresql://u:p%40s@db2/shop?sslmode=require',
      'postgresql://u:p%40s@[::1]:5/shop?sslmode=require',
    ],
    hosts: 'db1:5432,db2,[::1]:5',
    primary: true,
  });
});

test('one host is looked at for being the primary only where that is asked for', () => {
  const primary = (query: string) => parseHosts(`postgres://h/d${query}`)?.primary;
  assert.deepEqual(['', '?target_session_attrs=any'].map(primary), [false, false]);
  assert.deepEqual(['?target_session_attrs=primary', '?a=1&target_session_attrs=read-write'].map(primary), [
    true,
    true,
  ]);
  assert.equal(parseHosts('postgres://u:p@/d?host=%2Frun')?.urls[0], 'postgres://u:p@/d?host=%2Frun');
});

test('what cannot be written to, or is no such URL, is none', () => {
  for (const url of ['postgres://a,b/d?target_session_attrs=standby', 'postgres://a,/d', 'https://a', 'a,b'])
    assert.equal(parseHosts(url), undefined, url);
});

test('hosts are put in place of others', () => {
  assert.equal(withHosts('postgres://u:p@a,b/d?x=1', 'c:1'), 'postgres://u:p@c:1/d?x=1');
});
