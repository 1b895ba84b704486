import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResult } from './game.ts';
import { DEFAULTS, readSettings } from './settings.ts';

test('takes numbers and the same as digits', () => {
  assert.deepEqual(readResult({ level: 37, score: 6541 }, DEFAULTS), { level: 37, score: 6541 });
  assert.deepEqual(readResult({ level: '37', score: '6541' }, DEFAULTS), { level: 37, score: 6541 });
});

test('holds the bounds, both ends included', () => {
  for (const level of [1, 100]) assert.equal(typeof readResult({ level, score: 0 }, DEFAULTS), 'object');
  assert.equal(typeof readResult({ level: 1, score: 2147483647 }, DEFAULTS), 'object');
  assert.equal(readResult({ level: 101, score: 0 }, DEFAULTS), 'level must be a whole number from 1 to 100, found 101');
  assert.match(String(readResult({ level: 1, score: 2147483648 }, DEFAULTS)), /^score must be .* found 2147483648$/);
});

test('refuses whatever is no whole number', () => {
  for (const level of [undefined, null, true, 1.5, '', ' 7', '7.0', '0x7', '1e1', 'seven', [], {}, Number.NaN])
    assert.match(String(readResult({ level, score: 1 }, DEFAULTS)), /^level must be a whole number from 1 to 100/);
  const long = String(readResult({ level: 'x'.repeat(100_000), score: 1 }, DEFAULTS));
  assert.ok(long.length < 150);
});

test('settings change the bounds; a wrong one names the setting, what was found and what is expected', () => {
  assert.equal(readSettings({ maxLevel: 200 }).maxLevel, 200);
  assert.throws(() => readSettings({ maxlevel: 200 }), /services\.leaderboard\.maxlevel: there is no such setting/);
  assert.throws(() => readSettings({ maxLevel: '200' }), /maxLevel is "200": expected a whole number/);
  assert.throws(() => readSettings({ maxLevel: 0 }), /minLevel \(1\) is above maxLevel \(0\)/);
});
