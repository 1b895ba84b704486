import { ClientError, idempotent, type PgRecord, type User, type Written } from '../../src/index.ts';
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

  /**
   * Stores a game once for each key of this user: a repeat is given what the first request was. Throws 422 when the key came
   * with another result.
   */
  async submitOnce(submission: Submission, key: string, user: User): Promise<Written<Submitted>> {
    const { username, level, score } = submission;
    const name = {
      scope: `leaderboard.submit:${user.sub}`,
      key,
      fingerprint: JSON.stringify([username, level, score]),
    };
    const { value, receipt } = await this.#record.transaction((tx) =>
      idempotent(tx, name, async () => {
        const [row] = await tx.query<Stored>(INSERT, [[username], [level], [score]]);
        return { ...submission, ...row! };
      }),
    );
    return { value: value.value, receipt };
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
