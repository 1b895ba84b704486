import type { PgRecord, Receipt, RecordTransaction, Written } from '../record.ts';
import type { Row } from '../value.ts';
import { type Item, ItemInvalid, type ItemKey } from './item.ts';
import {
  ItemConditionFailed,
  type ItemPage,
  type ItemQuery,
  type ItemStore,
  type ItemTable,
  type ItemTableDefinition,
  type ItemTransaction,
  type ItemUpdate,
  type ItemWrite,
  type WriteOptions,
  type WrittenItem,
} from './item-table.ts';
import { AS_SENT, type ItemStep, PgItemWriter } from './pg-item-writer.ts';
import { queryPage } from './pg-query.ts';
import { type ItemStatements, statements } from './pg-statements.ts';
import { ItemShape } from './shape.ts';

const MAX_BATCH = 100;

/** Item tables on PostgreSQL: a table each, made by `itemTableSql`. */
export class PgItemStore implements ItemStore {
  readonly #record: PgRecord;
  readonly #tables = new Map<string, PgItemTable>();

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  table(definition: ItemTableDefinition): ItemTable {
    return this.#table(definition);
  }

  /** The table inside a transaction of the record, next to whatever else that does. */
  within(tx: RecordTransaction, definition: ItemTableDefinition): ItemTransaction {
    return this.#table(definition).within(tx);
  }

  /** In the order of their keys, so that two of them do not deadlock. */
  async transact(writes: readonly ItemWrite[]): Promise<Written<void>> {
    const planned = writes.map((write, index) => ({ write, index, name: this.#nameOf(write) }));
    if (planned.length > MAX_BATCH) throw new ItemInvalid(`A transaction may have ${MAX_BATCH} writes.`);
    if (new Set(planned.map(({ name }) => name)).size < planned.length) {
      throw new ItemInvalid('A transaction may name an item once.');
    }
    planned.sort((a, b) => (a.name < b.name ? -1 : 1));
    // A check of an item that is not there has nothing to lock.
    const checks = writes.some((write) => 'check' in write);
    const work = async (tx: RecordTransaction) => {
      for (const { write, index } of planned) await this.#run(tx, write, index);
    };
    return this.#record.transaction(work, checks ? { isolation: 'serializable' } : {});
  }

  async #run(tx: RecordTransaction, write: ItemWrite, index: number): Promise<void> {
    const table = this.#table(write.table).within(tx);
    try {
      if ('put' in write) await table.put(write.put, write);
      else if ('update' in write) await table.update(write.key, write.update, write);
      else if ('delete' in write) await table.delete(write.delete, write);
      else await table.check(write.check, write);
    } catch (error) {
      throw error instanceof ItemConditionFailed ? new ItemConditionFailed(error.item, index) : error;
    }
  }

  #nameOf(write: ItemWrite): string {
    const key =
      'put' in write ? write.put : 'update' in write ? write.key : 'delete' in write ? write.delete : write.check;
    return JSON.stringify([write.table.name, ...this.#table(write.table).shape.keyOf(key)]);
  }

  #table(definition: ItemTableDefinition): PgItemTable {
    let table = this.#tables.get(definition.name);
    if (!table) {
      table = new PgItemTable({ record: this.#record, definition });
      this.#tables.set(definition.name, table);
    }
    return table;
  }
}

/** A row's answer of a write statement: its attributes, or that it has those that were sent. */
const decode = (row: Row | undefined): string | null => (row ? ((row.attributes as string | null) ?? AS_SENT) : null);

class PgItemTable implements ItemTable {
  readonly definition: ItemTableDefinition;
  readonly shape: ItemShape;
  readonly #record: PgRecord;
  readonly #statements: ItemStatements;
  readonly #writer: PgItemWriter;
  readonly #get: (key: readonly string[]) => Promise<Item | undefined>;

  constructor({ record, definition }: { record: PgRecord; definition: ItemTableDefinition }) {
    this.definition = definition;
    this.#record = record;
    this.shape = new ItemShape(definition);
    this.#statements = statements(definition);
    this.#get = this.#coalescedGet();
    const coalesced = (name: ItemStep) =>
      record.coalesceWrites<readonly unknown[], string | null>({
        ...this.#statements[name],
        encode: (values) => values,
        decode,
        missing: null,
        key: (values) => this.shape.nameOf(values),
        byKey: name === 'step',
        planEachTime: name !== 'step' && name !== 'put', // which joins nothing
      });
    this.#writer = new PgItemWriter({
      shape: this.shape,
      run: {
        step: coalesced('step'),
        put: coalesced('put'),
        replace: coalesced('replace'),
        update: coalesced('update'),
        remove: coalesced('remove'),
      },
      get: this.#get,
    });
  }

  put(item: Item, options?: WriteOptions): Promise<WrittenItem> {
    return this.#writer.put(item, options);
  }

  update(key: ItemKey, update: ItemUpdate, options?: WriteOptions): Promise<WrittenItem> {
    return this.#writer.update(key, update, options);
  }

  delete(key: ItemKey, options?: WriteOptions): Promise<Written<Item | undefined>> {
    return this.#writer.delete(key, options);
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    return this.#get(this.shape.keyOf(key));
  }

  async batchGet(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    return Promise.all(this.#batch(keys).map((key) => this.#get(key)));
  }

  query(query: ItemQuery): Promise<ItemPage> {
    return queryPage(this.#record, this.definition, query);
  }

  within(tx: RecordTransaction): ItemTransaction & { check(key: ItemKey, options: WriteOptions): Promise<void> } {
    const writer = this.#writerIn(tx);
    const get = (keys: readonly (readonly string[])[]) => this.#getIn(tx, this.#statements.get, keys);
    return {
      put: async (item, options) => (await writer.put(item, options)).value,
      update: async (key, update, options) => (await writer.update(key, update, options)).value,
      delete: async (key, options) => (await writer.delete(key, options)).value,
      check: (key, options) => writer.check(key, options),
      get: async (key) => (await get([this.shape.keyOf(key)]))[0],
      batchGet: (keys) => get(this.#batch(keys)),
      query: (query) => queryPage(tx, this.definition, query),
    };
  }

  #writerIn(tx: RecordTransaction): PgItemWriter {
    const alone =
      ({ sql }: { sql: string }) =>
      async (values: readonly unknown[]): Promise<Written<string | null>> => {
        const [row] = await tx.query(
          sql,
          values.map((value) => [value]),
        );
        return { value: decode(row), receipt: NO_RECEIPT };
      };
    const { step, put, replace, update, remove, getLocked } = this.#statements;
    return new PgItemWriter({
      shape: this.shape,
      run: {
        step: alone(step),
        put: alone(put),
        replace: alone(replace),
        update: alone(update),
        remove: alone(remove),
      },
      get: async (key) => (await this.#getIn(tx, getLocked, [key]))[0],
    });
  }

  #batch(keys: readonly ItemKey[]): string[][] {
    if (keys.length > MAX_BATCH) throw new ItemInvalid(`At most ${MAX_BATCH} items can be got at once.`);
    return keys.map((key) => this.shape.keyOf(key));
  }

  async #getIn(
    tx: RecordTransaction,
    sql: string,
    keys: readonly (readonly string[])[],
  ): Promise<(Item | undefined)[]> {
    const names = keys.map((key) => JSON.stringify(key));
    const rows = await tx.query<{ key: string; attributes: string }>(sql, [names]);
    const found = new Map(rows.map(({ key, attributes }) => [key, attributes]));
    return keys.map((key, i) => this.shape.itemOf(key, found.get(names[i]!)));
  }

  #coalescedGet(): (key: readonly string[]) => Promise<Item | undefined> {
    const read = this.#record.coalesceReads<readonly string[], string | undefined>({
      sql: this.#statements.get,
      keyType: 'text',
      planEachTime: true,
      keyOf: (key) => JSON.stringify(key),
      decode: ([row]) => row?.attributes as string | undefined,
    });
    return async (key) => this.shape.itemOf(key, await read(key));
  }
}

/** A transaction has one receipt, which whoever runs it is given. */
const NO_RECEIPT: Receipt = { xid: null };
