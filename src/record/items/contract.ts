import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allOf,
  anyOf,
  attributeAbsent,
  attributeExists,
  type Condition,
  compare,
  equals,
  holds,
  itemAbsent,
  itemExists,
  not,
  oneOf,
} from './condition.ts';
import { Decimal } from './decimal.ts';
import { type Attribute, decodeAttributes, type Item, ItemInvalid, type ItemKey } from './item.ts';
import {
  ItemConditionFailed,
  type ItemQuery,
  type ItemStore,
  type ItemTable,
  type ItemTableDefinition,
  type ItemUpdate,
  type WrittenItem,
} from './item-table.ts';

/** The tables that an engine makes for the contract. */
export const CONTRACT_TABLES = {
  trips: {
    name: 'contract.trips',
    partition: 'riderid',
    sort: 'tripinfo',
    indexes: {
      status: { partition: 'STATUS', sort: 'PICKUP' },
      driver: { partition: 'DRIVER' },
      info: { partition: 'tripinfo', sort: 'riderid' },
    },
  },
  counters: { name: 'contract.counters', partition: 'id' },
} as const satisfies Readonly<Record<string, ItemTableDefinition>>;

export interface ItemContractOptions {
  /** Names the engine. */
  readonly name: string;
  /** A store with both tables, empty; called once for each test. */
  store(t: { readonly name: string }): Promise<ItemStore>;
}

/** What every engine of item tables must do. */
export function itemTableContract({ name, store }: ItemContractOptions): void {
  const contract = (what: string, run: (store: ItemStore) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => run(await store(t)));

  contract('any sequence of writes leaves what a map of items would, and pages tell all of it', sequences);
  contract('numbers are exact', exactNumbers);
  contract('of concurrent conditional writes exactly one wins, and the others are told what they found', oneWins);
  contract('concurrent additions lose nothing', additions);
  contract('a transaction writes all its items or none', transactions);
  contract('what no item can be is refused with 400', refusals);
  contract('an item without the attributes of an index is not in it', sparseIndexes);
  contract('a cursor of another query is refused', cursors);
}

const RIDERS = ['a', 'b', 'ä', '𝒶'];
const INFOS = ['2020-01', '2020-02', '2020-02,x', '2021', '\u{ffff}', '😀', '😀x'];

const scalar: fc.Arbitrary<Attribute> = fc.oneof(
  fc.constantFrom('Booked', 'InProgress', '', 'Ünicode "quoted" \\ 😀'),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
  fc
    .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.constantFrom(1, 2, 7))
    .map(([n, d]) => normal(Decimal.of(BigInt(n), d))),
  fc.boolean(),
  fc.constant(null),
);
const attribute = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('x', 'y'), scalar, { noNullPrototype: true }),
);
const indexed = fc.constantFrom('Booked', 'InProgress', 'Completed');
const attributes: fc.Arbitrary<Record<string, Attribute>> = fc.record(
  {
    STATUS: indexed,
    PICKUP: fc.constantFrom('1', '2', '3'),
    DRIVER: fc.constantFrom('d1', 'd2'),
    A: attribute,
    'B "b"': attribute,
  },
  { requiredKeys: [], noNullPrototype: true },
);
const key = fc.record({ riderid: fc.constantFrom(...RIDERS), tripinfo: fc.constantFrom(...INFOS) });
const compared = fc.oneof(
  fc.constantFrom('Booked', 'x'),
  fc.integer({ min: -2, max: 2 }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(new Decimal('0.5')),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(itemExists, itemAbsent),
    fc.constantFrom('A', 'STATUS').map(attributeExists),
    fc.constantFrom('A', 'B "b"').map(attributeAbsent),
    fc
      .tuple(fc.constantFrom('STATUS', 'A', 'B "b"'), fc.constantFrom('=', '<', '<=', '>', '>='), compared)
      .map(([n, is, v]) => compare(n, is as '=', v)),
    fc.constant(oneOf('STATUS', ['Booked', 'Completed'])),
    fc.array(tie('condition'), { maxLength: 3 }).map((of) => allOf(...of)),
    fc.array(tie('condition'), { maxLength: 3 }).map((of) => anyOf(...of)),
    tie('condition').map(not),
  ),
})).condition;

type Step =
  | { readonly do: 'put'; readonly key: ItemKey; readonly attributes: Item; readonly condition?: Condition }
  | { readonly do: 'update'; readonly key: ItemKey; readonly update: ItemUpdate; readonly condition?: Condition }
  | { readonly do: 'delete'; readonly key: ItemKey; readonly condition?: Condition };

const maybe = fc.option(condition, { nil: undefined });
const update: fc.Arbitrary<ItemUpdate> = fc.oneof(
  fc.record({ set: attributes }),
  fc.record({ remove: fc.uniqueArray(fc.constantFrom('A', 'STATUS', 'none')) }),
  fc.record({ set: fc.record({ 'B "b"': attribute }), add: fc.record({ A: fc.integer({ min: -5, max: 5 }) }) }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), key, attributes, condition: maybe }),
  fc.record({ do: fc.constant('update' as const), key, update, condition: maybe }),
  fc.record({ do: fc.constant('delete' as const), key, condition: maybe }),
);

const query: fc.Arbitrary<ItemQuery> = fc.record(
  {
    partition: fc.constantFrom(...RIDERS),
    sort: fc.oneof(
      fc.constantFrom('', '2020', '2020-02', '😀', '\u{ffff}').map((beginsWith) => ({ beginsWith })),
      fc.record({ from: fc.constantFrom(...INFOS), to: fc.constantFrom(...INFOS) }, { requiredKeys: [] }),
    ),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: ['partition'] },
);
const indexQuery: fc.Arbitrary<ItemQuery> = fc.oneof(
  fc.record({
    index: fc.constant('status'),
    partition: indexed,
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    index: fc.constant('driver'),
    partition: fc.constantFrom('d1', 'd2'),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    index: fc.constant('info'),
    partition: fc.constantFrom(...INFOS),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
);

async function sequences(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.trips);
  const keys = RIDERS.flatMap((riderid) => INFOS.map((tripinfo) => ({ riderid, tripinfo })));
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 30 }),
    fc.array(fc.oneof(query, indexQuery), { maxLength: 5 }),
    async (steps, queries) => {
      const model = new Map<string, Item>();
      await Promise.all(keys.map((each) => table.delete(each)));
      for (const each of steps) await both(table, model, each);
      for (const each of queries) assert.deepEqual(await pages(table, each), expected(model, each));
      assert.deepEqual(
        await table.batchGet(keys),
        keys.map((each) => model.get(JSON.stringify(each))),
      );
    },
  );
  await fc.assert(property, { numRuns: 40 });
}

/** One step on the table and on the model, with the same outcome. */
async function both(table: ItemTable, model: Map<string, Item>, each: Step): Promise<void> {
  const name = JSON.stringify(each.key);
  const found = model.get(name);
  const options = each.condition ? { condition: each.condition } : {};
  const updates = each.do === 'update';
  const allowed =
    (!updates || (found && addsToNumber(found, each.update))) && (!each.condition || holds(each.condition, found));
  const run = () =>
    each.do === 'put'
      ? table.put({ ...each.key, ...each.attributes }, options)
      : each.do === 'update'
        ? table.update(each.key, each.update, options)
        : table.delete(each.key, options);
  if (!allowed) {
    await assert.rejects(run(), (error) => error instanceof ItemConditionFailed && isSame(error.item, found));
    return;
  }
  const written = await run();
  const { value } = written;
  if ('json' in written) {
    const { json } = written as WrittenItem;
    assert.deepEqual(decodeAttributes(json), value);
    assert.doesNotMatch(json.replaceAll(/"(?:[^"\\]|\\.)*"/g, ''), /\s/);
  }
  if (each.do === 'delete') {
    assert.deepEqual(value, found);
    model.delete(name);
    return;
  }
  const after = each.do === 'put' ? { ...each.key, ...each.attributes } : updated(found!, each.update);
  assert.deepEqual(value, after);
  model.set(name, after);
}

function addsToNumber(found: Item, { add = {} }: ItemUpdate): boolean {
  return Object.keys(add).every((name) => found[name] === undefined || isNumber(found[name]));
}

function updated(found: Item, { set = {}, remove = [], add = {} }: ItemUpdate): Item {
  const after: Record<string, Attribute> = { ...found, ...set };
  for (const name of remove) delete after[name];
  for (const [name, by] of Object.entries(add)) {
    const before = after[name] ?? 0;
    after[name] = normal(Decimal.of(new Decimal(String(before)).units(20) + new Decimal(String(by)).units(20), 20));
  }
  return after;
}

function isNumber(value: Attribute): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal;
}

/** A number in the form in which it is handed out. */
function normal(value: Decimal): number | bigint | Decimal {
  if (value.text.includes('.')) return value;
  const number = Number(value.text);
  return Number.isSafeInteger(number) ? number : BigInt(value.text);
}

function isSame(a: unknown, b: unknown): boolean {
  assert.deepEqual(a, b);
  return true;
}

async function pages(table: ItemTable, each: ItemQuery): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ ...each, ...(cursor && { cursor }) });
    assert.ok(page.items.length <= (each.limit ?? 100));
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return each.index === undefined || each.index === 'status' ? items : items.toSorted(byKey);
}

/** The items that a query finds. Those of one sort value in an index are in the order of their keys. */
function expected(model: ReadonlyMap<string, Item>, each: ItemQuery): Item[] {
  const { partition, sort }: { partition: string; sort?: string } =
    each.index === undefined ? CONTRACT_TABLES.trips : CONTRACT_TABLES.trips.indexes[each.index as 'status'];
  const inRange = (text: string) => {
    const range = each.sort ?? {};
    if ('beginsWith' in range) return text.startsWith(range.beginsWith);
    return (
      (range.from === undefined || bytes(text, range.from) >= 0) &&
      (range.to === undefined || bytes(text, range.to) <= 0)
    );
  };
  const found = [...model.values()].filter(
    (item) =>
      item[partition] === each.partition &&
      (sort === undefined || (typeof item[sort] === 'string' && inRange(item[sort]))),
  );
  if (each.index !== undefined && each.index !== 'status') return found.toSorted(byKey);
  found.sort((a, b) => bytes(String(a[sort!]), String(b[sort!])) || byKey(a, b));
  return each.descending ? found.reverse() : found;
}

function byKey(a: Item, b: Item): number {
  return bytes(String(a.riderid), String(b.riderid)) || bytes(String(a.tripinfo), String(b.tripinfo));
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function exactNumbers(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.counters);
  const item = {
    id: 'n',
    money: new Decimal('12.30'),
    small: new Decimal('0.1'),
    long: new Decimal('1234567890123456789.0123456789012345678'),
    big: 9_007_199_254_740_993n,
    nested: { list: [new Decimal('-0.70'), 1] },
  };
  await table.put(item);
  assert.deepEqual(await table.get({ id: 'n' }), item);
  assert.equal(JSON.stringify((await table.get({ id: 'n' }))!.long), '1234567890123456789.0123456789012345678');
  const { value } = await table.update({ id: 'n' }, { add: { big: 1, whole: 1n } });
  assert.equal(value.big, 9_007_199_254_740_994n);
  assert.equal(value.whole, 1);
  await assert.rejects(table.put({ id: 'x', f: 0.1 }), ItemInvalid);
  const found = { condition: equals('money', new Decimal('12.3')) };
  assert.equal((await table.update({ id: 'n' }, { set: { money: 5 } }, found)).value.money, 5);
}

async function oneWins(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.trips);
  for (let round = 0; round < 20; round++) {
    const trip = { riderid: 'r', tripinfo: String(round) };
    const created = await outcomes(10, (n) =>
      table.put({ ...trip, STATUS: 'Booked', by: n }, { condition: itemAbsent }),
    );
    assert.equal(created.done.length, 1);
    for (const { item } of created.failed) assert.equal(item?.STATUS, 'Booked');
    const accepted = await outcomes(10, (n) =>
      table.update(trip, { set: { STATUS: 'InProgress', DRIVER: `d${n}` } }, { condition: equals('STATUS', 'Booked') }),
    );
    assert.equal(accepted.done.length, 1);
    const now = await table.get(trip);
    assert.deepEqual(now, accepted.done[0]);
    for (const { item } of accepted.failed) assert.deepEqual(item, now);
  }
}

async function outcomes(callers: number, call: (n: number) => Promise<{ value: Item }>) {
  const ends = await Promise.allSettled(Array.from({ length: callers }, (_, n) => call(n)));
  const failed = ends.filter((end) => end.status === 'rejected').map((end) => end.reason as ItemConditionFailed);
  for (const error of failed) assert.ok(error instanceof ItemConditionFailed, String(error));
  return { done: ends.filter((end) => end.status === 'fulfilled').map((end) => end.value.value), failed };
}

async function additions(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.counters);
  await Promise.all(['a', 'b'].map((id) => table.put({ id })));
  await Promise.all(Array.from({ length: 200 }, (_, n) => table.update({ id: n % 2 ? 'a' : 'b' }, { add: { n: 1 } })));
  assert.deepEqual(await table.batchGet([{ id: 'b' }, { id: 'none' }, { id: 'a' }]), [
    { id: 'b', n: 100 },
    undefined,
    { id: 'a', n: 100 },
  ]);
}

async function transactions(store: ItemStore): Promise<void> {
  const { counters, trips } = CONTRACT_TABLES;
  const table = store.table(counters);
  await table.put({ id: 'from', n: 100 });
  await table.put({ id: 'to', n: 0 });
  const move = (amount: number) =>
    store.transact([
      { table: counters, key: { id: 'to' }, update: { add: { n: amount } } },
      { table: counters, key: { id: 'from' }, update: { add: { n: -amount } }, condition: compare('n', '>=', amount) },
      { table: trips, put: { riderid: 'r', tripinfo: `moved ${amount}` }, condition: itemAbsent },
    ]);
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => move(n + 1)));
  const moved = ends.reduce((sum, end, n) => sum + (end.status === 'fulfilled' ? n + 1 : 0), 0);
  for (const end of ends) {
    if (end.status === 'fulfilled') continue;
    assert.ok(end.reason instanceof ItemConditionFailed, String(end.reason));
    assert.equal(end.reason.index, 1);
  }
  assert.ok(moved > 0 && moved <= 100 && ends.some((end) => end.status === 'rejected'));
  assert.deepEqual(await table.batchGet([{ id: 'from' }, { id: 'to' }]), [
    { id: 'from', n: 100 - moved },
    { id: 'to', n: moved },
  ]);
  const { items } = await store.table(trips).query({ partition: 'r', sort: { beginsWith: 'moved' } });
  assert.equal(items.length, ends.filter((end) => end.status === 'fulfilled').length);
  const checked = store.transact([
    { table: counters, check: { id: 'none' } },
    { table: counters, delete: { id: 'to' } },
  ]);
  await assert.rejects(checked, ItemConditionFailed);
  assert.ok(await table.get({ id: 'to' }));
  await assert.rejects(
    store.transact([
      { table: counters, delete: { id: 'a' } },
      { table: counters, delete: { id: 'a' } },
    ]),
    ItemInvalid,
  );
}

async function refusals(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.trips);
  const good = { riderid: 'r', tripinfo: 't' };
  const bad: Item[] = [
    { riderid: 'r' },
    { riderid: '', tripinfo: 't' },
    { riderid: 'r', tripinfo: 'x'.repeat(1025) },
    { ...good, text: 'a\0b' },
    { ...good, text: '\ud800' },
    { ...good, half: Number.NaN },
    { ...good, STATUS: 5 },
    { ...good, when: new Date() as unknown as string },
    { ...good, big: 'x'.repeat(500_000) },
  ];
  for (const item of bad) await assert.rejects(table.put(item), ItemInvalid);
  assert.equal(await table.get(good), undefined);
  await assert.rejects(table.update(good, { set: { riderid: 'x' } }), ItemInvalid);
  await assert.rejects(table.update(good, { set: { a: 1 }, remove: ['a'] }), ItemInvalid);
  await assert.rejects(table.query({ partition: 'r', limit: 0 }), ItemInvalid);
  await assert.rejects(table.batchGet(Array.from({ length: 101 }, () => good)), ItemInvalid);
}

async function sparseIndexes(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.trips);
  const trip = { riderid: 'r', tripinfo: 't' };
  await table.put({ ...trip, STATUS: 'Booked' });
  const status = { index: 'status', partition: 'Booked' };
  assert.deepEqual((await table.query(status)).items, []);
  await table.update(trip, { set: { PICKUP: '1' } });
  assert.equal((await table.query(status)).items.length, 1);
  await table.update(trip, { remove: ['PICKUP'] });
  assert.deepEqual((await table.query(status)).items, []);
}

async function cursors(store: ItemStore): Promise<void> {
  const table = store.table(CONTRACT_TABLES.trips);
  for (const tripinfo of ['1', '2', '3']) await table.put({ riderid: 'r', tripinfo, DRIVER: 'd' });
  const { cursor } = await table.query({ partition: 'r', limit: 2 });
  assert.ok(cursor);
  const others: ItemQuery[] = [
    { partition: 'x', cursor },
    { partition: 'd', index: 'driver', cursor },
    { partition: 'r', cursor: 'no' },
  ];
  for (const other of others) await assert.rejects(table.query(other), ItemInvalid);
}
