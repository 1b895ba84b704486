import { quoteTable } from '../../record/copy.ts';
import type { RecordTransaction } from '../../record/record.ts';
import type { PendingRow } from '../../views/projection/pending.ts';
import type { ProjectedTable } from '../../views/projection/projection.ts';
import { differing, existing, keyArray, seenKeys } from '../../views/projection/sql.ts';
import type { Drift } from '../../views/view.ts';
import { letterName } from './letters.ts';
import { bisecting, underSavepoint } from './write.ts';

/** Keys of differences that are kept: beyond them something is wrong with all of it. */
const MAX_DRIFT = 100_000;

interface Difference {
  readonly place: number;
  readonly there: boolean;
  readonly found: string;
  readonly wanted: string;
}

/** A projection's target, in a transaction that sees it at one position, against rows as they ought to be. */
export class Comparison {
  /** By table and key. */
  readonly drift = new Map<string, Drift>();
  compared = 0;
  readonly #tx: RecordTransaction;
  readonly #held: ReadonlySet<string>;

  readonly #only: ReadonlySet<string> | undefined;

  /** `held`: keys that dead letters hold back. `only`: the keys that matter; all unless told. */
  constructor(options: { tx: RecordTransaction; held: ReadonlySet<string>; only?: ReadonlySet<string> }) {
    this.#tx = options.tx;
    this.#held = options.held;
    this.#only = options.only;
  }

  async begin(): Promise<void> {
    await this.#tx.query('create temporary table lockstep_verified (target text, key text[]) on commit drop');
  }

  /** Compares rows that the target ought to have, and remembers their keys. */
  async rows(table: ProjectedTable, rows: readonly PendingRow[]): Promise<void> {
    const free = rows.filter(({ key }) => this.#matters(table, key));
    this.#faulty(table, free);
    const sound = free.filter(({ fault }) => fault === null);
    await this.#compare(table, sound, true);
    this.compared += free.length;
  }

  /** Rows of the target that none of the compared ones accounts for. */
  async findGhosts(tables: readonly ProjectedTable[]): Promise<void> {
    await this.#tx.query('analyze lockstep_verified');
    for (const table of tables) {
      const ghosts = await this.#tx.query<{ key: string }>(
        `select to_json(${keyArray(table)})::text as key from ${quoteTable(table.target)} t where not exists (
           select from lockstep_verified s where s.target = $1 and s.key = ${keyArray(table)}) limit ${MAX_DRIFT}`,
        [table.target],
      );
      for (const { key } of ghosts) this.#ghost(table, JSON.parse(key) as string[]);
    }
  }

  /** Compares again what was touched since: what was found of these keys before does not count. */
  async again(table: ProjectedTable, rows: readonly PendingRow[]): Promise<void> {
    for (const { key } of rows) this.drift.delete(letterName(table.target, key));
    // A row of which the log does not carry all is not compared this time.
    const known = rows.filter(({ key, partial }) => !partial && this.#matters(table, key));
    this.#faulty(table, known);
    const sound = known.filter(({ fault }) => fault === null);
    await this.#compare(
      table,
      sound.filter(({ values }) => values !== null),
      false,
    );
    const gone = sound.filter(({ values }) => values === null).map(({ key }) => key);
    if (gone.length === 0) return;
    const { sql, values } = existing(table, gone);
    for (const { place } of await this.#tx.query<{ place: number }>(sql(1), values))
      this.#ghost(table, gone[place - 1]!);
  }

  async #compare(table: ProjectedTable, rows: readonly PendingRow[], remember: boolean): Promise<void> {
    if (rows.length === 0) return;
    const run = async (part: readonly PendingRow[]) => {
      const found = await underSavepoint(this.#tx, () => this.#differences(table, part, remember));
      for (const { place, there, ...sides } of found) {
        this.#add(table, part[place - 1]!.key, there ? sides.found : 'no row', sides.wanted || 'a row');
      }
    };
    await bisecting(rows, run, (part, error) => {
      if (part.length > 1) throw error;
      this.#add(table, part[0]!.key, 'no dead letter', `a row that the target refuses: ${(error as Error).message}`);
    });
  }

  async #differences(table: ProjectedTable, rows: readonly PendingRow[], remember: boolean): Promise<Difference[]> {
    const { sql, values } = differing(table, rows);
    const found = await this.#tx.query<Difference>(sql(1), values);
    if (remember) {
      const seen = seenKeys(
        table,
        rows.map(({ key }) => key),
      );
      await this.#tx.query(`insert into lockstep_verified select $1, key from (${seen.sql(2)}) as seen`, [
        table.target,
        ...seen.values,
      ]);
    }
    return found;
  }

  #faulty(table: ProjectedTable, rows: readonly PendingRow[]): void {
    for (const { key, fault } of rows) {
      if (fault !== null) this.#add(table, key, 'no dead letter', `a row that cannot be projected: ${fault}`);
    }
  }

  #ghost(table: ProjectedTable, key: readonly string[]): void {
    const known = this.drift.has(letterName(table.target, key));
    if (!known && this.#matters(table, key)) this.#add(table, key, 'a row', 'no row');
  }

  #add(table: ProjectedTable, key: readonly string[], inView: string, inRecord: string): void {
    if (this.drift.size >= MAX_DRIFT) return;
    this.drift.set(letterName(table.target, key), { what: `${table.target} ${key.join(' ')}`, inView, inRecord });
  }

  #matters(table: ProjectedTable, key: readonly string[]): boolean {
    const name = letterName(table.target, key);
    return !this.#held.has(name) && (this.#only?.has(name) ?? true);
  }
}
