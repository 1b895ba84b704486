import fc from 'fast-check';
import type { Table } from '../../changes/change.ts';
import type { Row } from '../../record/value.ts';
import type { LeaderboardShape } from './leaderboard.ts';
import { count, history, type LeaderboardQuery, range, standing } from './queries.ts';
import { DAY } from './window.ts';

// Games at random, and questions about them: what the tests of all stores take.

export const COLUMNS = ['id', 'player', 'score', 'time', 'level', 'note'] as const;
export const TABLE: Table = {
  oid: 1,
  name: 'test.games',
  columns: COLUMNS.map((name) => ({ name, type: 25 })),
  key: ['id'],
  full: false,
};
export const SHAPE: LeaderboardShape = {
  ...{ table: 'test.games', id: 'id', player: 'player', score: 'score', time: 'time' },
  ...{ keep: ['level', 'note'], columns: COLUMNS, overall: true, monthly: { keepDays: 62 }, daily: { keepDays: 8 } },
};
/** 2026-11-20 */
export const TODAY = 20_777 * DAY;

const player = fc.constantFrom('ann', 'bob', 'zoë', '', 'x'.repeat(300), '名前', 'dan', 'eve');
const time = fc.oneof(
  fc.nat({ max: 5 }).map((hours) => TODAY + hours * 3_600_000_000),
  fc.integer({ min: -100, max: 3 }).map((days) => TODAY + days * DAY - 1),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, Number.MAX_SAFE_INTEGER),
);
export const integers = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer());
export const doubles = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true }));

export function rowOf(score: fc.Arbitrary<number>): (id: number) => fc.Arbitrary<Row> {
  return (id) =>
    fc.record(
      {
        id: fc.constant(id),
        player: fc.option(player, { freq: 20 }),
        score: fc.option(score, { freq: 20 }),
        time: fc.option(time, { freq: 20 }),
        level: fc.option(fc.integer({ min: 1, max: 100 })),
        note: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, fc.string()),
      },
      { noNullPrototype: true },
    );
}

const board = fc.record({
  board: fc.constantFrom('games' as const, 'players' as const),
  window: fc.constantFrom('overall' as const, 'monthly' as const, 'daily' as const),
  date: fc.integer({ min: -100, max: 4 }).map((days) => dateOf(TODAY + days * DAY)),
});
export const query: fc.Arbitrary<LeaderboardQuery> = fc.oneof(
  board.map(count),
  fc
    .tuple(board, fc.nat({ max: 30 }), fc.nat({ max: 30 }))
    .map(([of, offset, limit]) => range({ ...of, offset, limit })),
  fc
    .tuple(board, player, fc.nat({ max: 40 }), fc.nat({ max: 5 }))
    .map(([of, name, id, around]) => standing({ ...of, member: of.board === 'players' ? name : id, around })),
  fc.tuple(player, fc.nat({ max: 9 })).map(([player, limit]) => history({ player, limit })),
);

export function dateOf(time: number): string {
  return new Date(time / 1000).toISOString().slice(0, 10);
}
