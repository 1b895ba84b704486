import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import { unfitness } from '../../leaderboard/fitness.ts';
import type { LeaderboardShape } from '../../leaderboard/leaderboard.ts';
import { checkQuery, nameOf } from '../../leaderboard/limits.ts';
import type { BoardOf, LeaderboardQuery, RankedRow, Standing } from '../../leaderboard/queries.ts';
import { dayOf, monthOf, windowNumber } from '../../leaderboard/window.ts';
import type { Argument, BucketOperation, Operation, StoredKind, StoredRead } from '../../stored.ts';
import { INCOMPLETE, unheldText } from '../../unheld.ts';
import type { MemoryView } from '../../view.ts';
import type { BoardAuditQuery } from '../memory/board-audit.ts';
import { MemoryLeaderboard } from '../memory/leaderboard.ts';
import { rowFrom, rowText, valueText } from './row-text.ts';
import { inOneBucket, script } from './script.ts';

/** As a script answers: ids and rows as text, in one order. */
type Rows = readonly [ids: readonly unknown[], rows: readonly unknown[]];

/**
 * The `leaderboard` kind in Valkey or Redis, all of it in one bucket: a row is on several boards, which move together. Holds
 * what `MemoryLeaderboard` holds, and declines what that declines.
 */
export class StoredLeaderboard implements StoredKind<LeaderboardQuery> {
  readonly buckets = 1;
  readonly script: string;
  readonly shape: string;
  readonly #shape: LeaderboardShape;
  /** In the order of a row's text: where it stands, then what it shows. The id is its key. */
  readonly #columns: readonly string[];

  constructor(options: { shape: LeaderboardShape }) {
    this.#shape = options.shape;
    this.shape = JSON.stringify(options.shape);
    const { player, score, time, keep, overall, monthly, daily } = this.#shape;
    this.#columns = [player, score, time, ...keep];
    const constants = { OVERALL: overall, MONTHLY: monthly !== null, DAILY: daily !== null, INCOMPLETE };
    this.script = script(constants, ['rows', 'board-places', 'board-windows', 'leaderboard', 'board-reads']);
  }

  *load(table: string, rows: readonly Row[]): Iterable<BucketOperation> {
    if (table !== this.#shape.table) return;
    for (const row of rows) {
      const reason = unfitness(this.#shape, row);
      const id = String(row[this.#shape.id]);
      yield inOneBucket(reason ? ['set_aside', id, id, reason] : ['put', id, id, rowText(row, this.#columns)]);
    }
  }

  *changes(changes: readonly Change[]): Iterable<BucketOperation> {
    for (const change of changes)
      if (change.table.name === this.#shape.table) yield inOneBucket(this.#operation(change));
  }

  readonly unheld = {
    reads: [read('unheld', [])],
    text: ([reply]: readonly unknown[]): string | undefined => {
      if (reply === null || reply === undefined) return undefined;
      const [count, id, reason] = (reply as readonly unknown[]).map(String);
      return unheldText({ table: this.#shape.table, count: Number(count), id, reason: reason! });
    },
  };

  expire(now: number): Operation[] {
    const { monthly, daily } = this.#shape;
    const floors: Operation[] = [];
    if (monthly?.keepDays !== undefined)
      floors.push(['expire', 'monthly', `${monthOf(dayOf(now) - monthly.keepDays)}`]);
    if (daily?.keepDays !== undefined) floors.push(['expire', 'daily', `${dayOf(now) - daily.keepDays}`]);
    return floors;
  }

  read(query: LeaderboardQuery | BoardAuditQuery): StoredRead[] {
    if (query.ask === 'rows') return [read('rows', query.ids.map(String))];
    if (query.ask === 'sizes') return [read('sizes', [])];
    checkQuery(query);
    if (query.ask === 'history') return [read('history', [String(query.limit), ...namesOf(query.player)])];
    const window = this.#windowOf(query);
    if (!window) return [];
    const { board } = query;
    if (query.ask === 'count') return [read('count', [...window.number, `${board}:${window.name}`])];
    if (query.ask === 'range')
      return [read('range', [...window.number, `${board}:${window.name}`, `${query.offset}`, `${query.limit}`])];
    const names = board === 'games' ? [String(query.member)] : namesOf(query.member);
    const name = board === 'games' ? 'game' : 'player';
    return [read(name, [...window.number, window.name, String(query.around), ...names])];
  }

  answer(query: LeaderboardQuery | BoardAuditQuery, [reply]: readonly unknown[]): unknown {
    if (reply === null || reply === undefined) return undefined;
    switch (query.ask) {
      case 'count':
        return Number(reply);
      case 'range':
        return this.#ranked(reply as Rows, query.offset);
      case 'standing':
        return this.#standing(reply as readonly unknown[], query.around);
      case 'history':
        return this.#rows(reply as Rows);
      case 'rows':
        return (reply as unknown[]).map((text, i) => (String(text) === '' ? null : this.#row(query.ids[i]!, text)));
      case 'sizes': {
        const [ranked, aside] = reply as [unknown, unknown[]];
        return { ranked: Number(ranked), aside: aside.map(String).sort() };
      }
    }
  }

  audit(twin: MemoryView<LeaderboardQuery>): Iterable<BoardAuditQuery | LeaderboardQuery> {
    if (!(twin instanceof MemoryLeaderboard)) throw new Error('a leaderboard is audited with a leaderboard in memory');
    return twin.audit();
  }

  #operation(change: Change): Operation {
    const { id } = this.#shape;
    if (change.op === 'truncate') return ['truncate'];
    if (change.op === 'delete') return ['delete', String(change.before[id])];
    const { before, after } = change;
    const ids = [String(before?.[id] ?? after[id]), String(after[id])] as const;
    // What the log did not carry is filled from what is held, which fits.
    const carried = Object.fromEntries(this.#shape.columns.map((column) => [column, after[column] ?? null]));
    const reason = unfitness(this.#shape, carried);
    return reason ? ['set_aside', ...ids, reason] : ['put', ...ids, rowText(after, this.#columns)];
  }

  /** A board's window as its keys name it, and its number among its like; undefined where it is not declared. */
  #windowOf(of: BoardOf): { name: string; number: [series: string, number: string] } | undefined {
    const number = windowNumber(of);
    if (!this.#shape[of.window]) return undefined;
    if (number === undefined) return { name: 'overall', number: ['', ''] };
    return { name: of.date!.slice(0, of.window === 'daily' ? 10 : 7), number: [of.window, String(number)] };
  }

  #ranked(rows: Rows, offset: number): RankedRow[] {
    return this.#rows(rows).map((row, i) => ({ rank: offset + i + 1, row }));
  }

  #standing([before, of, ...rows]: readonly unknown[], around: number): Standing | null {
    if (before === undefined) return null;
    const offset = Math.max(0, Number(before) - around);
    const neighbours = this.#ranked(rows as unknown as Rows, offset);
    return { ...neighbours[Number(before) - offset]!, of: Number(of), neighbours };
  }

  #rows([ids, rows]: Rows): Row[] {
    return rows.map((text, i) => this.#row(Number(ids[i]), text));
  }

  #row(id: Value, text: unknown): Row {
    return { [this.#shape.id]: id, ...rowFrom(String(text), this.#columns) };
  }
}

function read(name: string, args: readonly Argument[]): StoredRead {
  return { bucket: 0, name, args };
}

/** What a player's name may be in the table: text, or an integer. */
function namesOf(player: Value): string[] {
  const name = nameOf(player);
  if (name === undefined) return [];
  return String(Number(name)) === name ? [valueText(name), name] : [valueText(name)];
}
