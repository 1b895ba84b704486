import { VALKEYS } from '../../../testing/valkey.ts';
import { leaderboard } from '../../leaderboard/leaderboard.ts';
import { modelAnswer } from '../../leaderboard/model.ts';
import { doubles, integers, query, rowOf, SHAPE, TABLE } from '../../leaderboard/test-games.ts';
import { storedContract } from '../../stored-contract.ts';

const { table, id, player, score, time, keep, monthly, daily } = SHAPE;
const definition = leaderboard({
  ...{ table, id, player, score, time, keep },
  windows: { overall: true, monthly: monthly!, daily: daily! },
});

for (const [name, scores] of [['integer', integers] as const, ['floating-point', doubles] as const]) {
  storedContract({
    name: `leaderboard in Valkey, ${name} scores`,
    definition,
    servers: VALKEYS,
    table: TABLE,
    ids: 40,
    row: rowOf(scores),
    query,
    model: (rows, asked) => modelAnswer(SHAPE, rows, asked),
  });
}
