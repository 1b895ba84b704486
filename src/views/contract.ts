import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Change, Table } from '../changes/change.ts';
import type { Row, Value } from '../record/value.ts';
import type { Drift, MemoryView, ViewDefinition, ViewQuery } from './view.ts';

/** A source table of the view, with one key column. */
export interface ContractTable {
  readonly table: Table;
  /** A row with this id, which is from 0 to `ids`. */
  row(id: number): fc.Arbitrary<Row>;
  readonly ids: number;
}

/** The rows of the other source tables, by table name. */
export type OtherRows = Readonly<Record<string, readonly Row[]>>;

export interface ContractOptions<Query extends ViewQuery<unknown>> extends ContractTable {
  /** Names the kind and its store. */
  readonly name: string;
  readonly definition: Pick<ViewDefinition<Query>, 'build'>;
  /** Further source tables; the one above is the one whose rows the view counts as its entries. */
  readonly others?: readonly ContractTable[];
  readonly query: fc.Arbitrary<Query>;
  /** The answer over all rows, in the simplest way there is. */
  model(rows: readonly Row[], query: Query, others: OtherRows): unknown;
  /**
   * For a kind that declares what it does not hold: what it does hold of these rows. It may then decline to answer (undefined) after
   * changes, never when newly built, and `compare` tells of what is held. All of them unless told.
   */
  held?(rows: readonly Row[], others: OtherRows): unknown;
}

/** What a test does to a table (the `of`th); `undefined` columns are the large values a log does not carry. */
export type Step = { readonly of?: number } & (
  | { readonly kind: 'put'; readonly id: number; readonly row: Row }
  | { readonly kind: 'partial'; readonly id: number; readonly row: Row; readonly columns: readonly string[] }
  | { readonly kind: 'move'; readonly id: number; readonly row: Row }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'truncate' }
);

/** A table that takes steps and tells, as a change feed would, what changed. */
class TableModel {
  readonly rows = new Map<number, Row>();
  readonly #table: Table;
  readonly #key: string;

  get name(): string {
    return this.#table.name;
  }

  constructor(table: Table) {
    this.#table = table;
    this.#key = table.key[0]!;
  }

  take(step: Step): Change[] {
    const table = this.#table;
    if (step.kind === 'truncate') {
      this.rows.clear();
      return [{ op: 'truncate', table, before: null, after: null }];
    }
    const before = this.rows.get(step.id);
    if (step.kind === 'put' && !before) return [this.#put(step.row, null, 'insert')];
    if (!before) return [];
    if (step.kind === 'delete') return [this.#delete(before)];
    if (step.kind === 'put') return [this.#put(step.row, null, 'update')];
    if (step.kind === 'partial') return [this.#partial(before, step.row, step.columns)];
    const taken = this.rows.has(step.row[this.#key] as number);
    return taken ? [] : [this.#move(before, step.row)];
  }

  #delete(before: Row): Change {
    this.rows.delete(before[this.#key] as number);
    return { op: 'delete', table: this.#table, before: this.#keyOf(before), after: null };
  }

  #put(row: Row, before: Row | null, op: 'insert' | 'update'): Change {
    this.rows.set(row[this.#key] as number, row);
    return { op, table: this.#table, before, after: row } as Change;
  }

  #move(before: Row, row: Row): Change {
    this.rows.delete(before[this.#key] as number);
    return this.#put(row, this.#keyOf(before), 'update');
  }

  #partial(before: Row, row: Row, columns: readonly string[]): Change {
    const kept = Object.fromEntries(columns.map((column) => [column, before[column]]));
    this.rows.set(row[this.#key] as number, { ...row, ...kept });
    const carried: Record<string, Value> = { ...row };
    for (const column of columns) carried[column] = undefined;
    return { op: 'update', table: this.#table, before: null, after: carried };
  }

  #keyOf(row: Row): Row {
    return { [this.#key]: row[this.#key] };
  }
}

/** Only views that are filled on demand look at it. */
export const COMMIT = { xid: 1, lsn: 1 };
/** All tables of a view. */
export class TablesModel {
  readonly tables: readonly TableModel[];

  constructor({ table, others = [] }: { table: Table; others?: readonly ContractTable[] | undefined }) {
    this.tables = [table, ...others.map((other) => other.table)].map((each) => new TableModel(each));
  }

  take(step: Step): Change[] {
    return this.tables[step.of ?? 0]!.take(step);
  }

  /** The rows of the table whose rows are the view's entries. */
  get rows(): readonly Row[] {
    return [...this.tables[0]!.rows.values()];
  }

  get others(): OtherRows {
    return Object.fromEntries(this.tables.slice(1).map(({ name, rows }) => [name, [...rows.values()]]));
  }
}

/** The tests every view kind has to pass on every store in process memory. */
export function viewContract<Query extends ViewQuery<unknown>>(options: ContractOptions<Query>): void {
  const { name, table } = options;
  const step = steps(options);
  const history = fc.record({
    first: fc.array(step, { maxLength: 120, size: 'max' }),
    after: fc.array(step, { maxLength: 200, size: 'max' }),
    queries: fc.array(options.query, { minLength: 1, maxLength: 40 }),
  });

  test(`${name}: [SPEC 3] [rule 7] streamed equals rebuilt equals the plain model`, async () => {
    let [asked, declined] = [0, 0];
    await fc.assert(
      fc.asyncProperty(history, async ({ first, after, queries }) => {
        const { view, model } = await loaded(options, first);
        view.apply(
          after.flatMap((one) => model.take(one)),
          COMMIT,
        );
        const rebuilt = await rebuild(options, model);
        for (const query of queries) {
          const expected = options.model(model.rows, query, model.others);
          const answer = view.answer(query);
          asked++;
          if (options.held && answer === undefined) declined++;
          else assert.deepEqual(answer, expected);
          assert.deepEqual(rebuilt.answer(query), expected);
        }
        assert.deepEqual(drifts(view, rebuilt), []);
        assert.equal(view.stats().entries, rebuilt.stats().entries);
      }),
      { numRuns: 150 },
    );
    assert.ok(declined < asked / 2, `declined ${declined} of ${asked}`);
  });

  test(`${name}: [SPEC 3] changes delivered twice, one by one or all together, change nothing`, async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async ({ first, after }, oneByOne) => {
        const { view, model } = await loaded(options, first);
        const changes = after.flatMap((one) => model.take(one));
        view.apply(oneByOne ? changes.flatMap((change) => [change, change]) : changes, COMMIT);
        assert.deepEqual(drifts(view, await rebuild(options, model)), []);
      }),
      { numRuns: 100 },
    );
  });

  test(`${name}: [rule 8] TRUNCATE leaves an empty view that goes on`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ first, after, queries }) => {
        const { view, model } = await loaded(options, first);
        view.apply(model.take({ kind: 'truncate' }), COMMIT);
        assert.equal(view.stats().entries, 0);
        for (const query of queries) assert.deepEqual(view.answer(query), options.model([], query, model.others));
        view.apply(
          after.flatMap((one) => model.take(one)),
          COMMIT,
        );
        assert.deepEqual(drifts(view, await rebuild(options, model)), []);
      }),
      { numRuns: 50 },
    );
  });

  test(`${name}: [SPEC 7] compare finds every change that one of two views missed`, async () => {
    await fc.assert(
      fc.asyncProperty(history, step, async ({ first }, missed) => {
        const { view, model } = await loaded(options, first);
        const other = await rebuild(options, model);
        const before = heldBy(options, model);
        view.apply(model.take(missed), COMMIT);
        const unchanged = isDeepStrictEqual(before, heldBy(options, model));
        assert.equal(drifts(view, other).length === 0, unchanged);
        assert.equal(drifts(other, view).length === 0, unchanged);
      }),
      { numRuns: 150 },
    );
  });

  test(`${name}: [SPEC 7] [rule 13] compare reports nothing while both views go on changing`, async () => {
    const ids = Array.from({ length: 9000 }, (_, id) => id + options.ids + 1);
    const rows = ids.map((id) => fc.sample(options.row(id), { numRuns: 1, seed: id })[0]!);
    const { view, model } = await loaded(
      options,
      rows.map((row) => ({ kind: 'put', id: row[table.key[0]!] as number, row })),
    );
    const other = await rebuild(options, model);
    const moving = fc
      .sample(fc.oneof(step, fc.record({ kind: fc.constant('delete' as const), id: fc.constantFrom(...ids) })), {
        numRuns: 2000,
        seed: 7,
      })
      .filter(({ kind }) => kind !== 'truncate');
    let yields = 0;
    for (const drift of view.compare(other)) {
      assert.equal(drift, undefined);
      const changes = moving.splice(0, 20).flatMap((one) => model.take(one));
      for (const state of [view, other]) state.apply(changes, COMMIT);
      yields++;
    }
    assert.ok(yields > 4, `in blocks: ${yields}`);
  });

  test(`${name}: its memory is stated, and grows with the rows`, async () => {
    const { view } = await loaded(options, []);
    const { bytes } = view.stats();
    const kinds = fc.sample(options.row(0), { numRuns: 100, seed: 1 });
    const rows = Array.from({ length: 200_000 }, (_, id) => ({ ...kinds[id % 100], [table.key[0]!]: id }));
    const large = options.definition.build();
    large.load(table.name, rows);
    await large.loaded();
    assert.ok(large.stats().bytes > bytes);
    assert.equal(large.stats().entries, rows.length);
  });
}

/** Steps in all of the tables; more of them in the first. */
export function steps<Query extends ViewQuery<unknown>>(options: ContractOptions<Query>): fc.Arbitrary<Step> {
  const { others = [] } = options;
  return fc.oneof(
    { weight: others.length + 1, arbitrary: stepsIn(options) },
    ...others.map((other, i) => ({
      weight: 1,
      arbitrary: stepsIn(other).map((step): Step => ({ ...step, of: i + 1 })),
    })),
  );
}

function stepsIn({ row, ids, table }: ContractTable): fc.Arbitrary<Step> {
  const id = fc.nat({ max: ids });
  const others = table.columns.map((column) => column.name).filter((column) => !table.key.includes(column));
  const put = id.chain((id) => fc.record({ kind: fc.constant('put' as const), id: fc.constant(id), row: row(id) }));
  return fc.oneof(
    { weight: 120, arbitrary: put },
    {
      weight: 30,
      arbitrary: fc
        .record({ put, columns: fc.subarray(others) })
        .map(({ put, columns }) => ({ ...put, kind: 'partial' as const, columns })),
    },
    { weight: 20, arbitrary: fc.record({ kind: fc.constant('move' as const), id, row: id.chain(row) }) },
    { weight: 60, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
  );
}

/** A view loaded with what the first steps leave, and the table. */
async function loaded<Query extends ViewQuery<unknown>>(
  options: ContractOptions<Query>,
  first: readonly Step[],
): Promise<{ view: MemoryView<Query>; model: TablesModel }> {
  const model = new TablesModel(options);
  for (const step of first) model.take(step);
  return { view: await rebuild(options, model), model };
}

async function rebuild<Query extends ViewQuery<unknown>>(
  { definition }: ContractOptions<Query>,
  { tables }: TablesModel,
): Promise<MemoryView<Query>> {
  const view = definition.build();
  for (const { name, rows } of tables) {
    const all = [...rows.values()];
    for (let start = 0; start < all.length; start += 50) view.load(name, all.slice(start, start + 50));
  }
  await view.loaded();
  return view;
}

function drifts<Query extends ViewQuery<unknown>>(view: MemoryView<Query>, other: MemoryView<Query>): Drift[] {
  return [...view.compare(other)].filter((drift) => drift !== undefined);
}

/** What the view holds: all rows unless it declares otherwise. */
export function heldBy<Query extends ViewQuery<unknown>>(
  { held }: ContractOptions<Query>,
  model: TablesModel,
): unknown {
  const { rows, others } = model;
  return held ? held(rows, others) : { rows: byKey(rows), others };
}

/** In one order, whatever the order of the steps. */
function byKey(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
