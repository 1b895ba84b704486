import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResult } from './game.ts';
import { sampleGames } from './sample.ts';
import { DEFAULTS } from './settings.ts';

const until = Date.parse('2019-11-07T00:00:00Z');

test('the same seed gives the same games, another seed others', () => {
  const first = [...sampleGames({ games: 100, seed: 1, until })];
  assert.deepEqual([...sampleGames({ games: 100, seed: 1, until })], first);
  assert.notDeepEqual([...sampleGames({ games: 100, seed: 2, until })], first);
});

test('every game is one that may be submitted, before the end and within 90 days of it', () => {
  const players = new Set<string>();
  for (const game of sampleGames({ games: 20_000, seed: 3, until })) {
    assert.equal(typeof readResult(game, DEFAULTS), 'object');
    const age = until - Date.parse(`${game.gamedate}Z`);
    assert.ok(age > 0 && age <= 91 * 86_400_000);
    players.add(game.username);
  }
  assert.ok(players.size > 1500, 'names do not collide');
});
