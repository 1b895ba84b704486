import type { NodePool } from './node-pool.ts';
import { OrderedRows } from './ordered-rows.ts';
import type { RowTable } from './row-table.ts';

/** Where the trees of all windows of one table get their nodes: one pool for each kind of key. */
export interface BoardPools {
  readonly score: NodePool;
  readonly player: NodePool;
}

/** The boards of one window: all of it, one month, or one day. */
export class BoardWindow {
  readonly #rows: RowTable;
  /** Every row, best first. */
  readonly games: OrderedRows;
  /** Every row, by player, best first: what a player falls back on when the best row goes (CORRECTNESS 7). */
  readonly histories: OrderedRows;
  /** Each player's best row, best first. */
  readonly players: OrderedRows;

  constructor(options: { rows: RowTable; pools: BoardPools }) {
    const { rows, pools } = options;
    this.#rows = rows;
    this.games = new OrderedRows({ pool: pools.score, order: rows.byScore });
    this.histories = new OrderedRows({ pool: pools.player, order: rows.byPlayer });
    this.players = new OrderedRows({ pool: pools.score, order: rows.byScore });
  }

  insert(row: number): void {
    const player = this.#rows.player(row);
    const best = this.histories.firstOf(player);
    this.games.insert(row);
    this.histories.insert(row);
    if (best >= 0 && this.#rows.byPlayer.compare(best, row) < 0) return;
    if (best >= 0) this.players.remove(best);
    this.players.insert(row);
  }

  /** Removes a row, whose values must still be those it was inserted with. */
  remove(row: number): void {
    const player = this.#rows.player(row);
    this.games.remove(row);
    this.histories.remove(row);
    if (!this.players.remove(row)) return;
    const next = this.histories.firstOf(player);
    if (next >= 0) this.players.insert(next);
  }

  drop(): void {
    for (const tree of [this.games, this.histories, this.players]) tree.drop();
  }
}
