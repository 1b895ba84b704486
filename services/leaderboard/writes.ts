import {
  ClientError,
  idempotent,
  type PgRecord,
  type RecordTransaction,
  type User,
  type Written,
} from '../../src/index.ts';
import type { Result } from './game.ts';

export interface Submission extends Result {
  readonly username: string;
}

/** A game that is in the record. */
export interface Submitted extends Submission {
  readonly game_id: number;
  /** Microseconds since 1970 UTC. */
  readonly gamedate: number;
}

const INSERT = `
  insert into leaderboard.games (username, level, score)
  select username, level, score
    from unnest($1::text[], $2::integer[], $3::integer[]) with ordinality as sent (username, level, score, place)
   order by place
  returning game_id, gamedate`;

const DELETE = 'delete from leaderboard.games where game_id = $1 returning game_id';

type Stored = Pick<Submitted, 'game_id' | 'gamedate'>;

/** The commands: everything that changes the leaderboard's table. */
export class Writes {
  readonly #record: PgRecord;
  readonly #insert: (submission: Submission) => Promise<Written<Submitted>>;

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
    this.#insert = options.record.coalesceWrites<Submission, Submitted>({
      sql: INSERT,
      columns: ['text', 'integer', 'integer'],
      encode: ({ username, level, score }) => [username, level, score],
      decode: (row, submission) => ({ ...submission, ...(row as unknown as Stored) }),
    });
  }

  /** Stores a game, together with the others submitted at the same time. */
  submit(submission: Submission): Promise<Written<Submitted>> {
    return this.#insert(submission);
  }

  /** Takes a game off every board and out of the history. Throws 404. */
  remove(id: string): Promise<Written<{ game_id: number }>> {
    return this.#record.transaction(async (tx) => {
      const [row] = await tx.query<{ game_id: number }>(DELETE, [id]);
      if (!row) throw new ClientError(404, `There is no game ${id}.`);
      return row;
    });
  }
}
