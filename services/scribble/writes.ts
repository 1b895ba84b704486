import { ClientError, type PgRecord, type Written } from '../../src/index.ts';
import type { Point } from './canvas.ts';
import type { Subject } from './subject.ts';

/** A point and who draws it. */
export interface Drawing extends Point {
  readonly username: string | null;
  readonly address: string;
}

/** Who orders something. */
export interface Admin {
  readonly username: string;
  readonly address: string;
}

export interface Ban {
  readonly ban_id: number;
  readonly username: string | null;
  readonly address: string | null;
  readonly reason: string;
  readonly banned_by: string;
  /** Microseconds since 1970 UTC; `until` may be infinite. */
  readonly banned_at: number;
  readonly until: number;
}

/** Who is banned is asked in the transaction that draws: a ban holds at once, on every node. */
const DRAW = `
  with sent as (
    select * from unnest($1::integer[], $2::smallint[], $3::text[], $4::text[])
      with ordinality as each (index, color, username, address, place)
  ), drawn as (
    insert into scribble.points (index, color, username, address)
    select index, color, username, address from sent
     where not exists (
       select from scribble.bans
        where (bans.username = sent.username or bans.address = sent.address) and until > now())
     order by place
    returning index, point_id
  )
  select drawn.point_id, pg_current_xact_id()::text as lockstep_xid
    from sent left join drawn using (index) order by place`;

/** Adds points that leave each cell of `cells` as the newest point which nobody rolled back left it. */
const RESTORE = `
  insert into scribble.points (index, color, username, address)
  select cells.index, before.color, coalesce(before.username, $1), coalesce(before.address, $2)
    from unnest($3::integer[]) as cells (index)
    left join lateral (
      select color, username, address from scribble.points
       where points.index = cells.index
         and not exists (
           select from scribble.rollbacks
            where points.point_id between first_point and last_point
              and (points.username = rollbacks.username or points.address = rollbacks.address))
       order by point_id desc limit 1) as before on true
   order by cells.index`;

const BANS = 'select ban_id, username, address, reason, banned_by, banned_at, until from scribble.bans';

/** The commands: everything that changes scribble's tables. */
export class Writes {
  readonly #record: PgRecord;
  /** Stores a point, together with the others drawn at the same time. False: who draws is banned. */
  readonly draw: (drawing: Drawing) => Promise<Written<boolean>>;

  constructor({ record }: { record: PgRecord }) {
    this.#record = record;
    this.draw = record.coalesceWrites<Drawing, boolean>({
      sql: DRAW,
      columns: ['integer', 'smallint', 'text', 'text'],
      encode: ({ index, color, username, address }) => [index, color, username, address],
      decode: ({ point_id }) => point_id !== null,
      // Two points of one cell are two statements: each is a change of its own, and everybody sees both.
      key: ({ index }) => String(index),
    });
  }

  /** Whether a user or an address is banned now: the reason, or null. */
  async banOf({ username, address }: { username: string | null; address: string }): Promise<string | null> {
    const [ban] = await this.#record.query<Ban>(
      `${BANS} where (username = $1 or address = $2) and until > now() order by until desc limit 1`,
      [username, address],
    );
    return ban?.reason ?? null;
  }

  /** The bans in force and past, newest first. */
  bans(limit: number): Promise<Ban[]> {
    return this.#record.query<Ban>(`${BANS} order by ban_id desc limit $1`, [limit]);
  }

  /** `until` as ISO text; without it for good. */
  ban({ username, address }: Subject, terms: { reason: string; until?: string }, by: Admin): Promise<Written<Ban>> {
    return this.#record.transaction(async (tx) => {
      const [ban] = await tx.query<Ban>(
        `insert into scribble.bans (username, address, reason, banned_by, until)
          values ($1, $2, $3, $4, coalesce($5::timestamptz, 'infinity'))
          returning ban_id, username, address, reason, banned_by, banned_at, until`,
        [username, address, terms.reason, by.username, terms.until ?? null],
      );
      return ban!;
    });
  }

  /** Throws 404. */
  unban(id: string): Promise<Written<{ ban_id: number }>> {
    return this.#record.transaction(async (tx) => {
      const [ban] = await tx.query<{ ban_id: number }>('delete from scribble.bans where ban_id = $1 returning ban_id', [
        id,
      ]);
      if (!ban) throw new ClientError(404, `There is no ban ${id}.`);
      return ban;
    });
  }

  /**
   * Takes back the points of a user or an address drawn from `from` to `to` (ISO text): their cells become what they were
   * without them. Cells that somebody else has drawn on since stay as they are. Returns how many points and cells.
   */
  rollback(
    { username, address }: Subject,
    range: { from: string; to: string },
    by: Admin,
  ): Promise<Written<{ points: number; cells: number }>> {
    return this.#record.transaction(async (tx) => {
      await takeTurn(tx);
      const theirs = '(points.username = $1 or points.address = $2)';
      const [found] = await tx.query<{ points: number; first: number | null; last: number | null }>(
        `select count(*) as points, min(point_id) as first, max(point_id) as last from scribble.points
          where ${theirs} and drawn_at between $3 and $4`,
        [username, address, range.from, range.to],
      );
      if (found!.first === null) return { points: 0, cells: 0 };
      const cells = await tx.query<{ index: number }>(
        `select cells.index from scribble.cells join scribble.points using (point_id)
          where ${theirs} and point_id between $3 and $4`,
        [username, address, found!.first, found!.last],
      );
      await tx.query(
        `insert into scribble.rollbacks (username, address, first_point, last_point, rolled_back_by)
          values ($1, $2, $3, $4, $5)`,
        [username, address, found!.first, found!.last, by.username],
      );
      await tx.query(RESTORE, [by.username, by.address, cells.map(({ index }) => index)]);
      return { points: found!.points, cells: cells.length };
    });
  }

  /** Clears every cell that is set. The history stays. */
  clear(by: Admin): Promise<Written<{ cells: number }>> {
    return this.#record.transaction(async (tx) => {
      await takeTurn(tx);
      const [cleared] = await tx.query<{ cells: number }>(
        `with cleared as (
          insert into scribble.points (index, color, username, address)
          select index, null, $1, $2 from scribble.cells where color is not null order by index returning 1)
        select count(*) as cells from cleared`,
        [by.username, by.address],
      );
      return cleared!;
    });
  }
}

/** What is read from here on is what the points that are added are based on: nobody draws meanwhile. */
async function takeTurn(tx: { query(sql: string): Promise<unknown> }): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('scribble'), hashtext('points'))");
}
