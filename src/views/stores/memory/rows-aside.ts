import type { Value } from '../../../record/value.ts';
import { unheldText } from '../../unheld.ts';

/** Rows that are told apart; with more, only a rebuild or a TRUNCATE helps. */
const MAX_ROWS = 100_000;

/** The rows of a table that memory cannot hold as they are, by id, each with the reason. While there is one, the record answers. */
export class RowsAside {
  readonly #table: string;
  readonly #reasons = new Map<Value, string>();
  #tooMany = false;

  constructor(table: string) {
    this.#table = table;
  }

  get any(): boolean {
    return this.#reasons.size > 0 || this.#tooMany;
  }

  /** In one order, whatever order they came in. */
  get ids(): string[] {
    return [...this.#reasons.keys()].map(String).sort();
  }

  /** See `ViewStats.unheld`. */
  get text(): string | undefined {
    const [first] = this.#reasons;
    if (first) return unheldText({ table: this.#table, count: this.#reasons.size, id: first[0], reason: first[1] });
    return this.#tooMany ? `it could not hold more rows of ${this.#table} than it tells apart; rebuild it` : undefined;
  }

  has(id: Value): boolean {
    return this.#reasons.has(id);
  }

  add(id: Value, reason: string): void {
    if (this.#reasons.size < MAX_ROWS || this.#reasons.has(id)) this.#reasons.set(id, reason);
    else this.#tooMany = true;
  }

  delete(id: Value): void {
    this.#reasons.delete(id);
  }

  clear(): void {
    this.#reasons.clear();
    this.#tooMany = false;
  }
}
