import type { RecordReader } from '../../record/record.ts';
import type { Row } from '../../record/value.ts';
import type { LeaderboardShape } from './leaderboard.ts';
import { checkQuery, nameOf } from './limits.ts';
import type { BoardOf, HistoryQuery, LeaderboardQuery, RankedRow, Standing, StandingQuery } from './queries.ts';
import { windowBounds } from './window.ts';

/** Every query answered with SQL, by the same rules as in memory. All in one snapshot: `reader` is inside one. */
export async function answerFromRecord(
  shape: LeaderboardShape,
  reader: RecordReader,
  queries: readonly LeaderboardQuery[],
): Promise<unknown[]> {
  const sql = new LeaderboardSql({ shape, reader });
  const answers: unknown[] = [];
  for (const query of queries) answers.push(await sql.answer(query));
  return answers;
}

/** A board as something to select from, with the values it binds. */
interface Source {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

class LeaderboardSql {
  readonly #reader: RecordReader;
  /** Quoted. */
  readonly #table: string;
  readonly #id: string;
  readonly #player: string;
  readonly #score: string;
  readonly #time: string;
  readonly #columns: string;
  readonly #bestFirst: string;

  constructor(options: { shape: LeaderboardShape; reader: RecordReader }) {
    const { shape, reader } = options;
    this.#reader = reader;
    this.#table = quoteTable(shape.table);
    this.#id = quote(shape.id);
    this.#player = quote(shape.player);
    this.#score = quote(shape.score);
    this.#time = quote(shape.time);
    this.#columns = shape.columns.map(quote).join(', ');
    this.#bestFirst = `${this.#score} desc, ${this.#time}, ${this.#id}`;
  }

  answer(query: LeaderboardQuery): Promise<unknown> {
    checkQuery(query);
    switch (query.ask) {
      case 'range':
        return this.#range(query);
      case 'standing':
        return this.#standing(query);
      case 'count':
        return this.#count(query);
      case 'history':
        return this.#history(query);
    }
  }

  async #range({ offset, limit, ...of }: BoardOf & { offset: number; limit: number }): Promise<RankedRow[]> {
    const { text, parameters } = this.#board(of);
    const at = parameters.length;
    const rows = await this.#reader.query<Row>(
      `select ${this.#columns} from ${text} order by ${this.#bestFirst} offset $${at + 1} limit $${at + 2}`,
      [...parameters, offset, limit],
    );
    return rows.map((row, i) => ({ rank: offset + i + 1, row }));
  }

  async #count(of: BoardOf): Promise<number> {
    const { text, parameters } = this.#board(of);
    const [row] = await this.#reader.query<{ entries: number }>(`select count(*) as entries from ${text}`, parameters);
    return row!.entries;
  }

  async #standing({ member, around, ...of }: StandingQuery<object>): Promise<Standing | null> {
    const place = await this.#place(of, of.board === 'games' ? member : nameOf(member));
    if (!place) return null;
    const offset = Math.max(0, place.before - around);
    const neighbours = await this.#range({ ...of, offset, limit: place.before + around + 1 - offset });
    return { ...neighbours[place.before - offset]!, of: place.entries, neighbours };
  }

  /** How many entries come before a member's, and how many there are; undefined where it has none. */
  async #place(of: BoardOf, member: unknown): Promise<{ before: number; entries: number } | undefined> {
    if (member === undefined) return undefined;
    const { text, parameters } = this.#board(of);
    const its = of.board === 'games' ? this.#isId(parameters.length + 1) : this.#isPlayer(parameters.length + 1);
    const [score, time, id] = [this.#score, this.#time, this.#id];
    // Each player's best is found once for all three; rows are counted through the indexes instead.
    const kept = of.board === 'players' ? 'materialized' : 'not materialized';
    const isBetter = `other.${score} > me.${score}
      or (other.${score} = me.${score} and (other.${time}, other.${id}) < (me.${time}, me.${id}))`;
    const [place] = await this.#reader.query<{ before: number; entries: number }>(
      `with board as ${kept} (select ${this.#columns} from ${text}),
        me as materialized (select ${this.#columns} from board where ${its})
      select (select count(*) from board other where ${isBetter}) as before, (select count(*) from board) as entries from me`,
      [...parameters, member],
    );
    return place;
  }

  async #history({ player, limit }: HistoryQuery<object>): Promise<Row[]> {
    const name = nameOf(player);
    if (name === undefined) return [];
    return this.#reader.query<Row>(
      `select ${this.#columns} from ${this.#table} where ${this.#isPlayer(1)} and ${this.#ranks()}
      order by ${this.#bestFirst} limit $2`,
      [name, limit],
    );
  }

  /** The board's entries: of `players`, each player's best row in the window. */
  #board(of: BoardOf): Source {
    const { text, parameters } = this.#window(of);
    if (of.board === 'games') return { text: `${text} as board`, parameters };
    const player = `${this.#player}::text`;
    const best = `select distinct on (${player}) ${this.#columns} from ${text} as rows order by ${player}, ${this.#bestFirst}`;
    return { text: `(${best}) as board`, parameters };
  }

  /** The rows of a window that are on its boards. */
  #window(of: BoardOf): Source {
    const bounds = windowBounds(of);
    const within = bounds ? ` and ${this.#time} >= $1 and ${this.#time} < $2` : '';
    const text = `(select ${this.#columns} from ${this.#table} where ${this.#ranks()}${within})`;
    return { text, parameters: bounds ?? [] };
  }

  #ranks(): string {
    return `${this.#score} is not null and ${this.#time} is not null and ${this.#player} is not null`;
  }

  /** A cast of the parameter alone: the column's index is used whatever integer it holds. */
  #isId(parameter: number): string {
    return `${this.#id} = $${parameter}::bigint`;
  }

  /** As text, so that a name is compared with an integer column too, and with `citext` as in memory. */
  #isPlayer(parameter: number): string {
    return `${this.#player}::text = $${parameter}::text`;
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.name`: all after the first dot is the name. */
function quoteTable(table: string): string {
  const dot = table.indexOf('.');
  return dot < 0 ? quote(table) : `${quote(table.slice(0, dot))}.${quote(table.slice(dot + 1))}`;
}
