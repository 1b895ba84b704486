import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfTimes } from './cpu-profile.ts';

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });

test('counts what lies within the span, by function and area', () => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('apply', 'file:///home/x/src/views/board.ts') },
      { id: 3, callFrame: frame('query', 'file:///home/x/node_modules/pg/lib/client.js') },
    ],
    startTime: 1000,
    samples: [2, 2, 3, 1, 2],
    timeDeltas: [100, 100, 100, 100, 100],
  };
  assert.deepEqual(selfTimes(profile, { from: 1150, to: 1450 }), [
    { name: 'apply src/views/board.ts:10', area: 'Lockstep: src/views', micros: 100 },
    { name: 'query pg/lib/client.js:10', area: 'pg', micros: 100 },
    { name: '(idle)', area: 'idle', micros: 100 },
  ]);
});
