import type { Change } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { Drift, MemoryView, ViewDefinition, ViewQuery } from '../views/view.ts';
import { FAKE_TABLE } from './fake-feed.ts';

/** All rows, as `id=value` in the order of their ids. */
export interface AllRows extends ViewQuery<string[]> {
  readonly ask: 'all';
}

/** The simplest view: the table's rows by id. `count` of applied changes shows what was applied twice. */
export class FakeState implements MemoryView<AllRows> {
  readonly rows = new Map<number, number>();
  applied = 0;
  /** As if there were a row that it cannot hold. */
  unheld: string | undefined;
  readonly #slices: Change[] = [];

  load(_table: string, rows: readonly Row[]): void {
    for (const row of rows) this.rows.set(row.id as number, row.value as number);
  }

  async loaded(): Promise<void> {}

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.applied++;
      if (change.op === 'insert' && this.rows.has(change.after.id as number)) throw new Error('inserted twice');
      if (change.op === 'delete') this.rows.delete(change.before.id as number);
      else if (change.op === 'truncate') this.rows.clear();
      else this.rows.set(change.after.id as number, change.after.value as number);
    }
  }

  /** Put off until `merge`, which takes a few turns. */
  applySlice(changes: readonly Change[]): void {
    this.#slices.push(...changes);
  }

  merge(): Generator<void> | undefined {
    return this.#slices.length > 0 ? this.#merge() : undefined;
  }

  *#merge(): Generator<void> {
    for (const change of this.#slices.splice(0)) {
      this.apply([change]);
      yield;
    }
  }

  answer(): string[] {
    if (this.#slices.length > 0) throw new Error('asked in the middle of a large transaction');
    return [...this.rows].sort(([a], [b]) => a - b).map(([id, value]) => `${id}=${value}`);
  }

  stats() {
    return { entries: this.rows.size, bytes: this.rows.size * 16, unheld: this.unheld };
  }

  *compare(other: FakeState): Iterable<Drift | undefined> {
    for (const id of new Set([...this.rows.keys(), ...other.rows.keys()])) {
      if (this.#slices.length + other.#slices.length > 0)
        throw new Error('compared in the middle of a large transaction');
      const [inView, inRecord] = [String(this.rows.get(id)), String(other.rows.get(id))];
      yield inView === inRecord ? undefined : { what: `row ${id}`, inView, inRecord };
    }
  }
}

export function fakeView(answerFromRecord: () => string[] = () => []): ViewDefinition<AllRows> {
  return {
    kind: 'fake',
    sources: [{ table: FAKE_TABLE.name }],
    build: () => new FakeState(),
    answerFromRecord: async (_reader, queries) => queries.map(() => answerFromRecord()),
  };
}
