import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SystemStatus } from '../../runtime/runtime.ts';
import { TestLive } from '../testing/live.ts';
import { type NodeStatus, nodesOf } from './nodes.ts';

const now = 1_000_000_000_000;

function system(nodes: readonly NodeStatus[] | null): SystemStatus {
  const record = { engine: 'PostgreSQL 18', embedded: true, url: '' };
  const live = { ...new TestLive().status(), nodes };
  return { version: '1', pid: 7, url: 'http://localhost:8080', uptime: 60, record, store: 'memory', live };
}

test('where the views live in this process alone, it is the only node, and the one that follows', () => {
  const [node, ...others] = nodesOf(system(null), now);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [node!.pid, node!.url, node!.leading, node!.ready, node!.started, node!.seen],
    [7, 'http://localhost:8080', true, true, now - 60_000, now],
  );
});

test('where there are several, they are as they tell of themselves', () => {
  const told = ['a', 'b'].map((id) => ({ ...nodesOf(system(null), now)[0]!, id, leading: id === 'a' }));
  assert.deepEqual(nodesOf(system(told), now), told);
});
