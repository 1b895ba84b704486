import type { ServiceContext, Topic } from '../../src/index.ts';
import { boardQueries, boardsOf, checkedDay } from './boards.ts';
import type { views } from './views.ts';

/** Entries of each board that are pushed. */
const LIMIT = 10;

/** `leaderboard/scores/<yyyy-mm-dd>`: the three boards of that day, as `GET /scores/{date}?limit=10` gives them. */
export function topics({ views: { games } }: ServiceContext<typeof views>): Record<string, Topic> {
  return {
    scores: {
      type: 'state',
      // Every game may be on the board of all time, which all of them show; a state that stays the same is not sent.
      touchedBy: (change, keys) => (change.table.name === 'leaderboard.games' ? keys : []),
      async read(day) {
        const answer = await games.read(boardQueries(checkedDay(day), LIMIT));
        return { ...answer, results: boardsOf(answer.results) };
      },
    },
  };
}
