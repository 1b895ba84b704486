import { ClientError } from '../errors.ts';
import type { Written } from '../record.ts';
import type { Condition } from './condition.ts';
import type { Attribute, Item, ItemKey } from './item.ts';

/**
 * An item table: partition key, optional sort key, free attributes. Written for what both PostgreSQL and DynamoDB can do, so
 * that an engine can be exchanged.
 */
export interface ItemTableDefinition {
  /** `schema.name` */
  readonly name: string;
  /** The attribute that is the partition key: a text. */
  readonly partition: string;
  /** The attribute that is the sort key: a text, ordered by its UTF-8 bytes. */
  readonly sort?: string;
  /** Secondary indexes by name. An item that lacks one of an index's attributes is not in that index. */
  readonly indexes?: Readonly<Record<string, ItemIndex>>;
}

/** Another way to find items: attributes that hold texts, those of the table's key too. */
export interface ItemIndex {
  readonly partition: string;
  readonly sort?: string;
}

export interface ItemQuery {
  /** The value of the partition key: the table's, or the index's. */
  readonly partition: string;
  /** A secondary index; the table's own key unless told. An engine may show a write in it a little later. */
  readonly index?: string;
  readonly sort?: SortRange;
  /** By the sort key; ascending unless told. */
  readonly descending?: boolean;
  /** Items in a page: 1 to 1000, 100 unless told. */
  readonly limit?: number;
  /** The `cursor` of the page before, of the same query. */
  readonly cursor?: string;
}

/** Both ends belong to the range. */
export type SortRange = { readonly beginsWith: string } | { readonly from?: string; readonly to?: string };

export interface ItemPage {
  readonly items: readonly Item[];
  /** Opaque: for the page after this one; undefined on the last page. */
  readonly cursor?: string;
}

/** What an update changes of an item that is there. An attribute may be named once. */
export interface ItemUpdate {
  readonly set?: { readonly [name: string]: Attribute };
  readonly remove?: readonly string[];
  /** Added to a number, exactly; to 0 where the attribute is absent. */
  readonly add?: Readonly<Record<string, number | bigint>>;
}

export interface WriteOptions {
  readonly condition?: Condition;
}

/** Writes of one item. All throw `ItemConditionFailed`, and `ItemInvalid` for what no item can be. */
export interface ItemWrites {
  /** Creates the item or replaces it whole. Returns it. */
  put(item: Item, options?: WriteOptions): Promise<Item>;
  /** Changes an item that is there; one that is not fails as a condition. Returns the item as it is now. */
  update(key: ItemKey, update: ItemUpdate, options?: WriteOptions): Promise<Item>;
  /** Returns the item that was there, if any. */
  delete(key: ItemKey, options?: WriteOptions): Promise<Item | undefined>;
}

export interface ItemReads {
  get(key: ItemKey): Promise<Item | undefined>;
  /** At most 100, in the order of the keys. */
  batchGet(keys: readonly ItemKey[]): Promise<(Item | undefined)[]>;
  query(query: ItemQuery): Promise<ItemPage>;
}

/** The table inside a transaction of the record: reads see its own writes. */
export type ItemTransaction = ItemWrites & ItemReads;

/** An item as a write has left it: decoded when it is first asked for as such. */
export interface WrittenItem extends Written<Item> {
  /** The item as JSON text, its key first. */
  readonly json: string;
}

/** A table by itself: each write is a transaction of its own, and concurrent ones share a statement where the engine can. */
export interface ItemTable extends ItemReads {
  readonly definition: ItemTableDefinition;
  put(item: Item, options?: WriteOptions): Promise<WrittenItem>;
  update(key: ItemKey, update: ItemUpdate, options?: WriteOptions): Promise<WrittenItem>;
  delete(key: ItemKey, options?: WriteOptions): Promise<Written<Item | undefined>>;
}

/** One write of a `transact`. No item may be named twice in it. */
export type ItemWrite = { readonly table: ItemTableDefinition; readonly condition?: Condition } & (
  | { readonly put: Item }
  | { readonly update: ItemUpdate; readonly key: ItemKey }
  | { readonly delete: ItemKey }
  | { readonly check: ItemKey }
);

/** A record that keeps items. */
export interface ItemStore {
  table(definition: ItemTableDefinition): ItemTable;
  /** All of them or none, at most 100. Throws `ItemConditionFailed` of the first write that failed (`index`). */
  transact(writes: readonly ItemWrite[]): Promise<Written<void>>;
}

/** The condition of a write does not hold, or there is no item to update. Nothing was written. */
export class ItemConditionFailed extends ClientError {
  /** The item that was found, as read right after; undefined where there is none. */
  readonly item: Item | undefined;
  /** Which write of a `transact` it was. */
  readonly index: number;
  constructor(item: Item | undefined, index = 0) {
    super(409, item ? 'The item is not in the state that this write needs.' : 'There is no such item.');
    this.name = 'ItemConditionFailed';
    this.item = item;
    this.index = index;
  }
}
