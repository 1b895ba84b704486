import { type ColumnFacts, isFull, loggedColumns, type TableFacts } from './catalog.ts';
import type { Table } from './change.ts';
import type { Source } from './feed.ts';
import type { Relation } from './pgoutput/message.ts';
import { planColumn, type RowPlan } from './pgoutput/row-plan.ts';

interface LoggedColumn {
  readonly name: string;
  readonly type: number;
  readonly identity: boolean;
}

/**
 * A table the feed follows: which of its columns, and how its rows are read. The snapshot and the stream read by the same
 * plan, so that streamed equals rebuilt by construction.
 */
export class FollowedTable {
  readonly facts: TableFacts;
  /** Null: all columns. */
  readonly #wanted: ReadonlySet<string> | null;
  readonly #baseTypes: ReadonlyMap<number, number>;
  #signature: string;
  #plan: RowPlan;
  readonly snapshotPlan: RowPlan;

  constructor(options: { facts: TableFacts; sources: readonly Source[] }) {
    const { facts, sources } = options;
    this.facts = facts;
    this.#baseTypes = new Map(facts.columns.map((column) => [column.type, column.baseType]));
    this.#wanted = wantedColumns(facts, sources);
    const columns = loggedColumns(facts).map(({ name, type }) => ({ name, type, identity: facts.key.includes(name) }));
    this.#signature = signatureOf(facts.name, columns);
    this.#plan = this.#planOf(facts.name, columns);
    this.snapshotPlan = { ...this.#plan, columns: this.#plan.columns.filter((column) => column !== null) };
  }

  /** The plan for what the log says the table is; `changed` says how that differs from what it was, if it does. */
  relation(relation: Relation): { readonly plan: RowPlan; readonly changed: string | undefined } {
    const signature = signatureOf(relation.name, relation.columns);
    const same = signature === this.#signature;
    const table = same ? this.#plan.table : undefined;
    this.#signature = signature;
    this.#plan = this.#planOf(relation.name, relation.columns, table);
    return { plan: this.#plan, changed: same ? undefined : `${this.facts.name} is ${signature} now` };
  }

  #planOf(name: string, columns: readonly LoggedColumn[], known?: Table): RowPlan {
    const wanted = columns.filter((column) => !this.#wanted || this.#wanted.has(column.name));
    const table = known ?? {
      oid: this.facts.oid,
      name,
      columns: wanted.map((column) => ({ name: column.name, type: this.#baseType(column.type) })),
      key: this.facts.key,
      full: isFull(this.facts),
    };
    const plans = columns.map((column) =>
      wanted.includes(column) ? planColumn(column.name, this.#baseType(column.type), column.identity) : null,
    );
    return { table, columns: plans };
  }

  #baseType(type: number): number {
    return this.#baseTypes.get(type) ?? type;
  }
}

function signatureOf(name: string, columns: readonly { name: string; type: number }[]): string {
  return `${name} (${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`;
}

/** Every column any source names, and the key, without which a change says nothing. Null: all. */
function wantedColumns(facts: TableFacts, sources: readonly Source[]): ReadonlySet<string> | null {
  const logged = new Map<string, ColumnFacts>(loggedColumns(facts).map((column) => [column.name, column]));
  for (const name of sources.flatMap((source) => source.columns ?? [])) {
    if (logged.has(name)) continue;
    const generated = facts.columns.some((column) => column.name === name);
    throw new Error(
      `${facts.name} has no column "${name}" that can be followed: ` +
        (generated ? 'it is generated, which the log leaves out; follow the columns it is made of' : 'there is none'),
    );
  }
  if (sources.some((source) => !source.columns)) return null;
  return new Set([...facts.key, ...sources.flatMap((source) => source.columns ?? [])]);
}
