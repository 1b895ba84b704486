import { ClientError, idempotent, type PgRecord, type RecordTransaction, type Written } from '../../src/index.ts';
import { FIELDS, type Hero, INTEGER, type NewHero } from './hero.ts';

/** Tries to insert beside rows that come with ids of their own. */
const TRIES = 8;
/** SQLSTATE: another row has the id; the sequence is at its end. */
const [TAKEN, NO_MORE] = ['23505', '2200H'];

/** `$1`: for each request, its heroes as a JSON array. The sequence counts in the order of the rows. */
const INSERT = `
  with sent as (
    select request, place, hero, power, name, xp, color
      from unnest($1::text[]) with ordinality as asked (heroes, request),
           rows from (jsonb_to_recordset(heroes::jsonb) as (hero text, power text, name text, xp integer, color text))
             with ordinality as each (hero, power, name, xp, color, place)
  ), inserted as (
    insert into heroes.heroes (hero, power, name, xp, color)
    select hero, power, name, xp, color from sent order by request, place
    returning id
  ), numbered_ids as (
    select id, row_number() over (order by id) as number from inserted
  ), numbered as (
    select request, row_number() over (order by request, place) as number from sent
  )
  select coalesce(json_agg(id order by id), '[]')::text as ids, pg_current_xact_id()::text as lockstep_xid
    from numbered join numbered_ids using (number)
   group by request
   order by request`;

/** The commands: everything that changes the table of heroes. */
export class Writes {
  readonly #record: PgRecord;
  readonly #insert: (heroes: readonly NewHero[]) => Promise<Written<number[]>>;

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
    this.#insert = options.record.coalesceWrites<readonly NewHero[], number[]>({
      sql: INSERT,
      columns: ['text'],
      encode: (heroes) => [JSON.stringify(heroes)],
      decode: (row) => JSON.parse(row.ids as string) as number[],
      maxRows: 200,
    });
  }

  /**
   * Stores heroes, at least one, all of them or none, in their order; returns their ids, ascending from the highest. With a key,
   * once: a repeat is given the ids of the first time, and 422 with other heroes.
   */
  async insert(heroes: readonly NewHero[], key?: string): Promise<Written<number[]>> {
    const text = JSON.stringify(heroes);
    for (let tries = 1; ; tries++) {
      try {
        if (key === undefined) return await this.#insert(heroes);
        return await this.#once({ of: 'insert', key, says: text }, (tx) => insertAlone(tx, text));
      } catch (error) {
        const state = (error as { code?: unknown }).code;
        if (tries === TRIES || (state !== TAKEN && state !== NO_MORE)) throw error;
        // Somebody gave the id to a row of their own, and the sequence has gone on from there by now.
        if (state === NO_MORE) await this.#goOnFromHighest(heroes.length);
      }
    }
  }

  /**
   * Takes the sequence back to the highest id: it stays at its end when the row that brought it there has gone. The lock waits
   * for rows that are not committed yet, so that none has a higher one. Throws 409 where there are not as many ids as wanted.
   */
  async #goOnFromHighest(wanted: number): Promise<void> {
    await this.#record.transaction(async (tx) => {
      await tx.query('lock table heroes.heroes in share row exclusive mode');
      const [row] = await tx.query<{ highest: number }>('select coalesce(max(id), 0) as highest from heroes.heroes');
      const { highest } = row!;
      if (INTEGER.max - highest < wanted) throw noIds(highest);
      // Unless somebody else has taken it back meanwhile.
      await tx.query(
        `select setval('heroes.heroes_id_seq', greatest($1::integer, 1), $1 > 0)
           from heroes.heroes_id_seq where last_value = $2`,
        [highest, INTEGER.max],
      );
    });
  }

  /** Gives some of the fields other values. Throws 404. */
  change(id: number, changes: Partial<NewHero>, key?: string): Promise<Written<Hero>> {
    const fields = FIELDS.filter((field) => changes[field] !== undefined);
    const set = fields.map((field, i) => `${field} = $${i + 2}`).join(', ');
    const values = fields.map((field) => changes[field]);
    const sql = `update heroes.heroes set ${set} where id = $1 returning *`;
    const says = JSON.stringify([id, changes]);
    return this.#once({ of: 'change', key, says }, (tx) => one(tx, id, sql, [id, ...values]));
  }

  /** Throws 404. */
  remove(id: number, key?: string): Promise<Written<Hero>> {
    const sql = 'delete from heroes.heroes where id = $1 returning *';
    return this.#once({ of: 'remove', key, says: String(id) }, (tx) => one(tx, id, sql, [id]));
  }

  /** One transaction; with a key, done once and answered the same again. Whoever has the key may: heroes belong to everybody. */
  async #once<T>({ of, key, says }: Repeat, work: (tx: RecordTransaction) => Promise<T>): Promise<Written<T>> {
    if (key === undefined) return this.#record.transaction(work);
    const name = { scope: `heroes.${of}`, key, fingerprint: says };
    const { value, receipt } = await this.#record.transaction((tx) => idempotent(tx, name, () => work(tx)));
    return { value: value.value, receipt };
  }
}

interface Repeat {
  readonly of: string;
  /** `Idempotency-Key` */
  readonly key: string | undefined;
  /** What the request says: the same key with another one is refused. */
  readonly says: string;
}

async function insertAlone(tx: RecordTransaction, heroes: string): Promise<number[]> {
  const [row] = await tx.query<{ ids: string }>(INSERT, [[heroes]]);
  return JSON.parse(row!.ids) as number[];
}

async function one(tx: RecordTransaction, id: number, sql: string, parameters: readonly unknown[]): Promise<Hero> {
  const [hero] = await tx.query<Hero>(sql, parameters);
  if (!hero) throw noHero([id]);
  return hero;
}

export function noHero(ids: readonly number[]): ClientError {
  return new ClientError(404, `no hero with id ${[...new Set(ids)].join(', ')}`);
}

function noIds(highest: number): ClientError {
  const reason = `a hero has ${highest}, and ids end at ${INTEGER.max}`;
  return new ClientError(409, `no ids are left: ${reason}; delete it, and ids go on from the highest again`);
}
