import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import { unfitness } from '../../leaderboard/fitness.ts';
import type { LeaderboardShape } from '../../leaderboard/leaderboard.ts';
import { checkQuery, nameOf } from '../../leaderboard/limits.ts';
import type {
  BoardOf,
  HistoryQuery,
  LeaderboardQuery,
  RankedRow,
  Standing,
  StandingQuery,
} from '../../leaderboard/queries.ts';
import { windowNumber } from '../../leaderboard/window.ts';
import type { Drift, MemoryView, ViewStats } from '../../view.ts';
import { auditBoards, type BoardAuditQuery } from './board-audit.ts';
import { insertBatch } from './board-batch.ts';
import { buildBoards } from './board-build.ts';
import { compareBoards, type Side } from './board-compare.ts';
import { mergeBatch } from './board-merge.ts';
import { BoardSet } from './board-set.ts';
import type { BoardWindow } from './board-window.ts';
import type { NodePoolOptions } from './node-pool.ts';
import type { OrderedRows } from './ordered-rows.ts';
import { RowMarks } from './row-marks.ts';
import { RowsAside } from './rows-aside.ts';
import { inTurns } from './turns.ts';

/** So many new rows together are put on the boards in the boards' order. */
const BATCH = 32;

/**
 * The `leaderboard` kind in memory. It finds old rows by id itself, so the table needs no REPLICA IDENTITY FULL, and every
 * change may come twice. While the table holds a row that it cannot hold exactly (an id beyond 2^53, a score that is not a
 * number, a time beyond the year 2255, a value the log did not carry), it holds all others and gives no answers: the record
 * does. `stats` tells of it.
 *
 * Call `expire` before `loaded`, and windows that would be dropped at once are not built first.
 */
export class MemoryLeaderboard implements MemoryView<LeaderboardQuery> {
  readonly #shape: LeaderboardShape;
  #boards: BoardSet;
  readonly #aside: RowsAside;
  #applied = 0;
  /** In a slice of a large transaction. */
  #inSlice = false;
  /** Rows that are in the table and on no board yet, until `merge`. */
  readonly #unplaced = new RowMarks();

  readonly #fanout: NodePoolOptions | undefined;

  constructor(options: { shape: LeaderboardShape; fanout?: NodePoolOptions }) {
    this.#shape = options.shape;
    this.#fanout = options.fanout;
    this.#aside = new RowsAside(options.shape.table);
    this.#boards = new BoardSet(options);
  }

  load(table: string, rows: readonly Row[]): void {
    if (table !== this.#shape.table) return;
    for (const row of rows) {
      const reason = unfitness(this.#shape, row);
      if (reason) this.#aside.add(row[this.#shape.id], reason);
      else this.#boards.rows.add(row, { indexed: false });
    }
  }

  async loaded(): Promise<void> {
    await inTurns(buildBoards(this.#boards));
  }

  /** New rows stay off the boards until `merge`, which sorts and merges them all at once. */
  applySlice(changes: readonly Change[]): void {
    this.#inSlice = true;
    this.#apply(changes);
    this.#inSlice = false;
  }

  merge(): Generator<void> | undefined {
    return this.#unplaced.size > 0 ? mergeBatch(this.#boards, this.#unplaced.take()) : undefined;
  }

  apply(changes: readonly Change[]): void {
    for (const _ of this.merge() ?? []); // Left by a large transaction that came without its end.
    this.#apply(changes);
  }

  #apply(changes: readonly Change[]): void {
    const added: number[] = [];
    for (const change of changes) {
      if (change.table.name !== this.#shape.table) continue;
      this.#applied++;
      if ((this.#inSlice || changes.length >= BATCH) && change.op === 'insert' && this.#isNew(change.after)) {
        added.push(this.#boards.rows.add(change.after));
        continue;
      }
      this.#place(added);
      if (change.op === 'truncate') this.#truncate();
      else if (change.op === 'delete') this.#delete(change.before[this.#shape.id]);
      else this.#put(change.before?.[this.#shape.id] ?? change.after[this.#shape.id], change.after);
    }
    this.#place(added);
  }

  answer(query: LeaderboardQuery | BoardAuditQuery): unknown {
    if (query.ask === 'rows') return query.ids.map((id) => this.#rowOf(id));
    if (query.ask === 'sizes') return { ranked: this.#boards.histories.size, aside: this.#aside.ids };
    checkQuery(query);
    if (this.#aside.any) return undefined;
    if (query.ask === 'history') return this.#history(query);
    const window = this.#windowOf(query);
    if (window === undefined) return undefined;
    const tree = window?.[query.board];
    if (query.ask === 'count') return tree?.size ?? 0;
    if (query.ask === 'range') return tree ? this.#range(tree, query) : [];
    return window ? this.#standing(window, query) : null;
  }

  expire(now: number): void {
    this.#boards.expire(now);
  }

  stats(): ViewStats {
    return { entries: this.#boards.rows.count, bytes: this.#boards.bytes, unheld: this.#aside.text };
  }

  compare(other: MemoryView<LeaderboardQuery>): Iterable<Drift | undefined> {
    if (!(other instanceof MemoryLeaderboard)) throw new Error('a leaderboard compares with a leaderboard only');
    return compareBoards({ table: this.#shape.table, view: () => this.#side(), record: () => other.#side() });
  }

  /** Questions that together tell all that this state holds, for a leaderboard on another store. */
  audit(): Iterable<BoardAuditQuery | LeaderboardQuery> {
    return auditBoards(() => ({ boards: this.#boards, applied: this.#applied }));
  }

  #isNew(row: Row): boolean {
    const id = row[this.#shape.id]!;
    return this.#find(id) < 0 && !this.#aside.has(id) && !unfitness(this.#shape, row);
  }

  /** Puts rows that were added to the table on the boards. */
  #place(added: number[]): void {
    if (this.#inSlice) for (const row of added) this.#unplaced.add(row);
    else if (added.length >= BATCH) insertBatch(this.#boards, added);
    else for (const row of added) this.#boards.insert(row);
    added.length = 0;
  }

  #side(): Side {
    return { boards: this.#boards, applied: this.#applied, aside: this.#aside.ids };
  }

  /** O(1): what the table held is garbage at once. Windows let go of before stay let go of. */
  #truncate(): void {
    this.#boards = new BoardSet({ shape: this.#shape, fanout: this.#fanout, floors: this.#boards.floors });
    this.#unplaced.clear();
    this.#aside.clear();
  }

  #delete(id: Value): void {
    this.#aside.delete(id);
    const row = this.#find(id);
    if (row < 0) return;
    if (!this.#unplaced.delete(row)) this.#boards.remove(row);
    this.#boards.rows.remove(row);
  }

  /** The row that had this id is now `after`, possibly under another id. */
  #put(id: Value, after: Row): void {
    const newId = after[this.#shape.id];
    const known = this.#find(id);
    // A change of key that comes a second time finds its row under the new one.
    const values = this.#filled(after, known < 0 ? this.#find(newId) : known);
    if (id !== newId) this.#delete(id);
    const reason = unfitness(this.#shape, values);
    if (reason) {
      this.#delete(newId);
      this.#aside.add(newId, reason);
    } else {
      this.#aside.delete(newId);
      this.#upsert(this.#find(newId), values);
    }
  }

  #upsert(row: number, values: Row): void {
    const { rows } = this.#boards;
    if (row < 0) this.#place([rows.add(values)]);
    else if (rows.samePlace(row, values)) rows.setKept(row, values);
    else if (this.#unplaced.has(row)) rows.set(row, values);
    else {
      this.#boards.remove(row);
      rows.set(row, values);
      this.#boards.insert(row);
    }
  }

  /** With the old row's values in place of those the log did not carry, where the old row is known (CORRECTNESS 6). */
  #filled(after: Row, row: number): Row {
    if (row < 0 || !this.#shape.columns.some((column) => after[column] === undefined)) return after;
    const old = this.#boards.rows.read(row);
    return Object.fromEntries(
      this.#shape.columns.map((column) => [column, after[column] === undefined ? old[column] : after[column]]),
    );
  }

  #find(id: Value): number {
    return typeof id === 'number' ? this.#boards.rows.find(id) : -1;
  }

  /** The row, also one on no board; null where there is none, or where it is missing from its player's history. */
  #rowOf(id: Value): Row | null {
    const { rows, histories } = this.#boards;
    const row = this.#find(id);
    return row < 0 || (rows.ranks(row) && histories.rank(row) < 0) ? null : rows.read(row);
  }

  /** Null where the window is empty, undefined where it is not held. */
  #windowOf(of: BoardOf): BoardWindow | null | undefined {
    const number = windowNumber(of);
    if (number === undefined) return this.#boards.overall ?? undefined;
    const series = of.window === 'monthly' ? this.#boards.monthly : this.#boards.daily;
    if (!series || number < series.floor) return undefined;
    return series.windows.get(number) ?? null;
  }

  #range(tree: OrderedRows, { offset, limit }: { offset: number; limit: number }): RankedRow[] {
    const { rows } = this.#boards;
    return tree.range(offset, limit).map((row, i) => ({ rank: offset + i + 1, row: rows.read(row) }));
  }

  #standing(window: BoardWindow, { board, member, around }: StandingQuery<object>): Standing | null {
    const tree = window[board];
    const row = board === 'games' ? this.#find(member) : this.#bestOf(window, member);
    const before = row < 0 ? -1 : tree.rank(row);
    if (before < 0) return null;
    const offset = Math.max(0, before - around);
    const neighbours = this.#range(tree, { offset, limit: before + around + 1 - offset });
    return { ...neighbours[before - offset]!, of: tree.size, neighbours };
  }

  #history({ player, limit }: HistoryQuery<object>): Row[] {
    const { histories, rows } = this.#boards;
    return histories.allOf(this.#playerOf(player), limit).map((row) => rows.read(row));
  }

  #bestOf(window: BoardWindow, player: Value): number {
    return window.bests.of(this.#playerOf(player));
  }

  /** The number of a player, or -1, which is nobody's. */
  #playerOf(player: Value): number {
    const name = nameOf(player);
    return name === undefined ? -1 : this.#boards.rows.findPlayer(name);
  }
}
