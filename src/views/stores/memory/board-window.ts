import type { NodePool } from './node-pool.ts';
import { OrderedRows } from './ordered-rows.ts';
import type { RowTable } from './row-table.ts';

/** Where the trees of all windows of one table get their nodes: one pool for each kind of key. */
export interface BoardPools {
  readonly score: NodePool;
  readonly player: NodePool;
}

/** Which row of each player is on the board of players. */
export interface Bests {
  /** The player's best row in the window, or -1. */
  of(player: number): number;
  /** `row` takes the place of `former`, which is -1 where the player had none. */
  put(row: number, former: number): void;
  /** The best rows of a new window's players. */
  build(rows: Int32Array): Iterable<void>;
  /** The player's best row was removed from the window: the next best, from now on the best, or -1. */
  replace(row: number): number;
  readonly bytes: number;
}

/** The boards of one window: all of it, one month, or one day. */
export class BoardWindow {
  readonly #rows: RowTable;
  readonly bests: Bests;
  /** Every row, best first. */
  readonly games: OrderedRows;
  /** Each player's best row, best first. */
  readonly players: OrderedRows;

  constructor(options: { rows: RowTable; pools: BoardPools; bests: Bests }) {
    const { rows, pools, bests } = options;
    this.#rows = rows;
    this.bests = bests;
    this.games = new OrderedRows({ pool: pools.score, order: rows.byScore });
    this.players = new OrderedRows({ pool: pools.score, order: rows.byScore });
  }

  /** Adds a row, before it is in the players' histories. */
  insert(row: number): void {
    this.games.insert(row);
    this.offer(row);
  }

  /** Puts a row that is on the board of games on that of players too, where it is its player's best. */
  offer(row: number): void {
    const best = this.bests.of(this.#rows.player(row));
    if (best >= 0 && this.#rows.byPlayer.compare(best, row) < 0) return;
    if (best >= 0) this.players.remove(best);
    this.players.insert(row);
    this.bests.put(row, best);
  }

  /** Removes a row, whose values must still be those it was inserted with, after it has left the players' histories. */
  remove(row: number): void {
    this.games.remove(row);
    if (!this.players.remove(row)) return;
    const next = this.bests.replace(row);
    if (next >= 0) this.players.insert(next);
  }

  drop(): void {
    for (const tree of [this.games, this.players]) tree.drop();
  }
}
