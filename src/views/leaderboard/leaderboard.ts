import type { Row, Value } from '../../record/value.ts';
import type { ColumnOf } from '../column.ts';
import { MemoryLeaderboard } from '../stores/memory/leaderboard.ts';
import { StoredLeaderboard } from '../stores/valkey/leaderboard.ts';
import type { ViewDefinition } from '../view.ts';
import type { LeaderboardQuery } from './queries.ts';
import { answerFromRecord } from './sql.ts';

export interface WindowOptions {
  /** Whole days a window stays in memory after its end; afterwards the record answers. For ever unless told. */
  readonly keepDays?: number;
}

export interface LeaderboardOptions<R extends object = Row> {
  /** `schema.name` */
  readonly table: string;
  /** The primary key: an integer. */
  readonly id: ColumnOf<R, number | bigint>;
  /** Whose the row is: text or an integer, compared byte by byte. */
  readonly player: ColumnOf<R, string | number>;
  /** Higher is better: an integer or a floating-point number. */
  readonly score: ColumnOf<R, number>;
  /** A timestamp; of two equal scores the earlier is better. Also says which windows the row is in, in UTC. */
  readonly time: ColumnOf<R, number>;
  /** Further columns that entries show. */
  readonly keep?: readonly ColumnOf<R, Value>[];
  /** Boards in memory; those left out are answered from the record. `{ overall: true }` unless told. */
  readonly windows?: {
    readonly overall?: boolean;
    readonly monthly?: boolean | WindowOptions;
    readonly daily?: boolean | WindowOptions;
  };
}

/** A leaderboard as its store and its SQL see it: every column named, every window decided. */
export interface LeaderboardShape {
  readonly table: string;
  readonly id: string;
  readonly player: string;
  readonly score: string;
  readonly time: string;
  readonly keep: readonly string[];
  /** All of them: id, player, score, time, and those kept. */
  readonly columns: readonly string[];
  readonly overall: boolean;
  readonly monthly: WindowOptions | null;
  readonly daily: WindowOptions | null;
}

/**
 * Boards of the rows of a table, best first: higher score, then earlier time, then lower id; the rows themselves (`games`)
 * and each player's best (`players`), in each window. A row whose score, time or player is NULL is on no board.
 *
 * What memory does not hold is answered with SQL, which wants an index on the score (descending), one on the time and one on
 * the player. With the columns that break ties behind them, `(score desc, time, id)` and `(player, score desc, time, id)`, SQL
 * need not sort ties, at a cost to every write.
 *
 * With a row type, `leaderboard<Game>({...})`, a column that is none, or of a wrong type, does not compile.
 */
export function leaderboard<R extends object = Row>(
  options: LeaderboardOptions<NoInfer<R>>,
): ViewDefinition<LeaderboardQuery> {
  const shape = shapeOf(options);
  return {
    kind: 'leaderboard',
    sources: [{ table: shape.table, columns: shape.columns }],
    build: () => new MemoryLeaderboard({ shape }),
    stored: new StoredLeaderboard({ shape }),
    answerFromRecord: (reader, queries) => answerFromRecord(shape, reader, queries),
  };
}

function shapeOf<R extends object>(options: LeaderboardOptions<R>): LeaderboardShape {
  const { table, id, player, score, time, keep = [], windows = { overall: true } } = options;
  const columns = [id, player, score, time, ...keep];
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice) throw new Error(`leaderboard of ${table}: the column ${twice} is named twice; name each column once`);
  const overall = windows.overall ?? false;
  return {
    ...{ table, id, player, score, time, keep, columns, overall },
    monthly: windowOptions(windows.monthly),
    daily: windowOptions(windows.daily),
  };
}

function windowOptions(declared: boolean | WindowOptions = false): WindowOptions | null {
  if (typeof declared === 'object') return declared;
  return declared ? {} : null;
}
