import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Change } from '../changes/change.ts';
import { type ContractOptions, heldBy, type Step, steps, TablesModel } from './contract.ts';
import type { StoredGeneration } from './stores/valkey/generation.ts';
import { openStore, type ValkeyStore } from './stores/valkey/store.ts';
import type { StoredView } from './stores/valkey/view.ts';
import type { Drift, MemoryView, ViewDefinition, ViewQuery } from './view.ts';

/** Where the tests run: started before them, stopped after them (`src/testing/valkey.ts` has both). */
export interface ContractServer {
  /** `server`, `cluster` */
  readonly name: string;
  start(): Promise<{ readonly url: string; stop(): Promise<void> }>;
}

export interface StoredContractOptions<Query extends ViewQuery<unknown>>
  extends Omit<ContractOptions<Query>, 'definition'> {
  readonly definition: ViewDefinition<Query>;
  readonly servers: readonly ContractServer[];
  /** Histories of the longest test; 25 unless told. */
  readonly runs?: number;
}

const EPOCH = 'contract';
const XID = 1;
/** Microseconds; of `expire` while loading. */
const NO_TIME = 0;

/** Several transactions, and which of them go to the store together. */
interface History {
  readonly first: readonly Step[];
  /** Each array is a transaction. */
  readonly after: readonly (readonly Step[])[];
  /** How each of them comes: with the next one, alone, or in slices. */
  readonly delivery: readonly ('batched' | 'alone' | 'large')[];
}

/** The tests every view kind has to pass in a store outside of the process. */
export function storedContract<Query extends ViewQuery<unknown>>(options: StoredContractOptions<Query>): void {
  for (const server of options.servers) contractOn(server, options);
}

function contractOn<Query extends ViewQuery<unknown>>(
  server: ContractServer,
  options: StoredContractOptions<Query>,
): void {
  const name = `${options.name}, ${server.name}`;
  const { runs = 25 } = options;
  const step = steps(options);
  const history: fc.Arbitrary<History> = fc.record({
    first: fc.array(step, { maxLength: 120, size: 'max' }),
    after: fc.array(fc.array(step, { minLength: 1, maxLength: 20 }), { maxLength: 12, size: 'max' }),
    delivery: fc.array(fc.constantFrom('batched' as const, 'alone' as const, 'large' as const), {
      minLength: 12,
      maxLength: 12,
    }),
  });
  const queries = fc.array(options.query, { minLength: 1, maxLength: 40 });

  let running: Awaited<ReturnType<ContractServer['start']>>;
  let bench: Bench<Query>;
  before(async () => {
    running = await server.start();
    bench = await Bench.open(running.url, options.definition);
  });
  after(async () => {
    await bench?.store.close();
    await running?.stop();
  });

  test(`${name}: [SPEC 3] [rule 7] streamed equals rebuilt equals the plain model equals memory`, async () => {
    let [asked, declined] = [0, 0];
    await fc.assert(
      fc.asyncProperty(history, queries, async (history, queries) => {
        const { model, memory, generation } = await bench.loaded(options, history.first);
        await bench.stream(generation, memory, model, history);
        const streamed = await bench.read(generation, queries);
        assert.deepEqual(await bench.drifts(generation, memory), []);
        const rebuilt = await bench.read(await bench.rebuild(model), queries);
        for (const [i, query] of queries.entries()) {
          const expected = options.model(model.rows, query, model.others);
          asked++;
          if (options.held && streamed[i] === undefined) declined++;
          else assert.deepEqual(streamed[i], expected);
          assert.deepEqual(rebuilt[i], expected);
          if (!options.held) assert.deepEqual(memory.answer(query), expected);
        }
      }),
      { numRuns: runs },
    );
    assert.ok(declined <= asked / 2, `declined ${declined} of ${asked}`);
  });

  test(`${name}: [SPEC 3] [rule 5] what comes again changes nothing, also after a leader that was lost in the middle`, async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (history, cut) => {
        const { model, memory, generation } = await bench.loaded(options, history.first);
        const transactions = history.after.map((steps) => steps.flatMap((one) => model.take(one)));
        const start = bench.lsn;
        const at = transactions.length === 0 ? 0 : cut % transactions.length;
        for (const changes of transactions.slice(0, at)) await bench.apply(generation, changes);
        const half = transactions[at]?.slice(0, Math.ceil(transactions[at].length / 2)) ?? [];
        generation.begin(XID, bench.lsn + 1);
        await generation.slice(half);
        // The next leader gets everything again, from before where the store stands.
        const next = await bench.resume();
        bench.lsn = start;
        for (const changes of transactions) await bench.apply(next, changes);
        memory.apply(transactions.flat(), { xid: XID, lsn: 1 });
        assert.deepEqual(await bench.drifts(next, memory), []);
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });

  test(`${name}: [rule 8] TRUNCATE leaves an empty view that goes on`, async () => {
    await fc.assert(
      fc.asyncProperty(history, queries, async (history, queries) => {
        const { model, memory, generation } = await bench.loaded(options, history.first);
        const changes = model.tables.flatMap((_, of) => model.take({ of, kind: 'truncate' }));
        memory.apply(changes, { xid: XID, lsn: 1 });
        await bench.apply(generation, changes);
        const answers = await bench.read(generation, queries);
        for (const [i, query] of queries.entries()) {
          if (options.held && answers[i] === undefined) continue;
          assert.deepEqual(answers[i], options.model(model.rows, query, model.others));
        }
        await bench.stream(generation, memory, model, history);
        assert.deepEqual(await bench.drifts(generation, memory), []);
      }),
      { numRuns: Math.ceil(runs / 3) },
    );
  });

  test(`${name}: [SPEC 7] the audit finds every change that the store missed`, async () => {
    await fc.assert(
      fc.asyncProperty(history, step, async ({ first }, missed) => {
        const { model, generation } = await bench.loaded(options, first);
        const held = heldBy(options as never, model);
        model.take(missed);
        const unchanged = isDeepStrictEqual(held, heldBy(options as never, model));
        const twin = await memoryOf(options.definition, model);
        const found = (await bench.drifts(generation, twin)).length;
        assert.equal(found === 0, unchanged, `${found} differences`);
      }),
      { numRuns: runs },
    );
  });
}

/** A store with one view, and what a leader does with it. */
class Bench<Query extends ViewQuery<unknown>> {
  readonly store: ValkeyStore;
  readonly view: StoredView;
  readonly #definition: ViewDefinition<Query>;
  #leader = 0;
  lsn = 0;

  private constructor(store: ValkeyStore, definition: ViewDefinition<Query>) {
    this.store = store;
    this.#definition = definition;
    this.view = store.add('contract/view', definition as never);
  }

  static async open<Q extends ViewQuery<unknown>>(url: string, definition: ViewDefinition<Q>): Promise<Bench<Q>> {
    const log = { error: (detail: object, message: string) => assert.fail(`${message}: ${JSON.stringify(detail)}`) };
    return new Bench(await openStore({ url, database: 'contract', log: log as never }), definition);
  }

  /** A view loaded with what the first steps leave. */
  async loaded(options: StoredContractOptions<Query>, first: readonly Step[]) {
    const model = new TablesModel(options);
    for (const step of first) model.take(step);
    const [memory, generation] = [await memoryOf(this.#definition, model), await this.rebuild(model)];
    return { model, memory, generation };
  }

  /** A new generation, loaded and served. */
  async rebuild({ tables }: TablesModel): Promise<StoredGeneration> {
    await this.store.fence(++this.#leader);
    const generation = await this.view.create(this.#leader, EPOCH);
    for (const { name, rows } of tables) {
      const all = [...rows.values()];
      for (let start = 0; start < all.length; start += 50) await generation.load(name, all.slice(start, start + 50));
    }
    this.lsn += 10;
    await generation.loaded(this.lsn, NO_TIME);
    await generation.serve();
    return generation;
  }

  /** Another leader takes over. */
  async resume(): Promise<StoredGeneration> {
    await this.store.fence(++this.#leader);
    return this.view.resume(this.#leader, EPOCH);
  }

  async stream(
    generation: StoredGeneration,
    memory: MemoryView<Query>,
    model: TablesModel,
    { after, delivery }: History,
  ): Promise<void> {
    for (const [i, steps] of after.entries()) {
      const changes = steps.flatMap((one) => model.take(one));
      memory.apply(changes, { xid: XID, lsn: 1 });
      if (delivery[i] === 'batched') this.#gather(generation, changes);
      else if (delivery[i] === 'alone') await this.apply(generation, changes);
      else await this.#large(generation, changes);
    }
    this.lsn += 10;
    await generation.flush(this.lsn);
  }

  async apply(generation: StoredGeneration, changes: readonly Change[]): Promise<void> {
    this.#gather(generation, changes);
    await generation.flush(this.lsn);
  }

  async read(generation: StoredGeneration, queries: readonly Query[]): Promise<readonly unknown[]> {
    const read = await this.view.reader.read(queries, { epoch: EPOCH, lsn: generation.lsn });
    assert.ok(read, 'the store does not answer');
    return read.results;
  }

  async drifts(generation: StoredGeneration, memory: MemoryView<Query>): Promise<Drift[]> {
    const found: Drift[] = [];
    for await (const drift of generation.compare(memory as MemoryView<never>, (work) => work())) {
      if (drift) found.push(drift);
    }
    return found;
  }

  #gather(generation: StoredGeneration, changes: readonly Change[]): void {
    this.lsn += 10;
    generation.transaction({ xid: XID, lsn: this.lsn, committedAt: 0, changes });
  }

  async #large(generation: StoredGeneration, changes: readonly Change[]): Promise<void> {
    await generation.flush(this.lsn);
    this.lsn += 10;
    generation.begin(XID, this.lsn - 1);
    for (let start = 0; start < changes.length; start += 3) await generation.slice(changes.slice(start, start + 3));
    await generation.finish(this.lsn);
  }
}

async function memoryOf<Query extends ViewQuery<unknown>>(
  definition: ViewDefinition<Query>,
  { tables }: TablesModel,
): Promise<MemoryView<Query>> {
  const view = definition.build();
  for (const { name, rows } of tables) view.load(name, [...rows.values()]);
  await view.loaded();
  return view;
}
