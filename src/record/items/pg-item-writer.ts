import type { Receipt, Written } from '../record.ts';
import { allOf, type Condition, holds, itemExists } from './condition.ts';
import type { Item, ItemKey } from './item.ts';
import { ItemConditionFailed, type ItemUpdate, type WriteOptions, type WrittenItem } from './item-table.ts';
import { predicate } from './pg-condition.ts';
import type { ItemStatements } from './pg-statements.ts';
import { addable, type ItemShape } from './shape.ts';

export type ItemStep = 'step' | 'put' | 'replace' | 'update' | 'remove';
/** For attributes: they are what was sent. (No item has this text: it would be `{}`.) */
export const AS_SENT = '';
/** Runs one row of a statement: the attributes it returned or `AS_SENT`, null where it was not done. */
export type RunStep = (values: readonly unknown[]) => Promise<Written<string | null>>;

export interface PgItemWriterOptions {
  readonly shape: ItemShape;
  readonly run: Readonly<Record<ItemStep & keyof ItemStatements, RunStep>>;
  /** Reads the item as it is after a write that was not done. */
  get(key: readonly string[]): Promise<Item | undefined>;
}

/** Tries of a write whose condition is found to hold after all: others change the item all the time. */
const TRIES = 100;

/**
 * The writes of one table. Each is one atomic statement or, where a condition is good both for an item that is there and for
 * one that is not, one of two. A write that was not done is explained by reading the item; if by then its condition holds, it
 * is tried again, so that a failure always names a state that is a reason.
 */
export class PgItemWriter {
  readonly #options: PgItemWriterOptions;

  constructor(options: PgItemWriterOptions) {
    this.#options = options;
  }

  async put(item: Item, { condition }: WriteOptions = {}): Promise<WrittenItem> {
    const { shape, run } = this.#options;
    const key = shape.keyOf(item);
    const attributes = shape.attributesOf(item);
    const written = condition
      ? await this.#attempt(key, condition, [
          holds(condition, undefined) && (() => run.step([...key, 'create', null, attributes])),
          this.#ifThere(condition, (path) => run.replace([...key, path, attributes])),
        ])
      : await run.put([...key, attributes]);
    return this.#item(key, { ...written, value: attributes });
  }

  async update(key: ItemKey, update: ItemUpdate, { condition }: WriteOptions = {}): Promise<WrittenItem> {
    const { shape, run } = this.#options;
    const values = shape.keyOf(key);
    const [set, removed, added] = shape.updateOf(update);
    const needed = allOf(itemExists, ...addable(update), ...(condition ? [condition] : []));
    const onlySet = removed === null && added === null;
    const step = this.#ifThere(needed, (path) =>
      onlySet ? run.step([...values, 'set', path, set]) : run.update([...values, path, set, removed, added]),
    );
    return this.#item(values, await this.#attempt(values, needed, [step]));
  }

  async delete(key: ItemKey, { condition }: WriteOptions = {}): Promise<Written<Item | undefined>> {
    const { shape, run } = this.#options;
    const values = shape.keyOf(key);
    const remove = (path: string | null) => run.remove([...values, path]);
    if (condition && !holds(condition, undefined)) {
      return this.#item(values, await this.#attempt(values, condition, [this.#ifThere(condition, remove)]));
    }
    const step = this.#ifThere(condition ?? itemAbsentOrNot, remove);
    const written = step ? await step() : NOTHING;
    if (written.value !== null) return this.#item(values, written);
    const found = condition ? await this.#options.get(values) : undefined;
    if (found) throw new ItemConditionFailed(found);
    return { value: undefined, receipt: written.receipt };
  }

  /** Throws unless the condition holds, and goes on holding until the transaction's end. */
  async check(key: ItemKey, { condition = itemExists }: WriteOptions): Promise<void> {
    const item = await this.#options.get(this.#options.shape.keyOf(key));
    if (!holds(condition, item)) throw new ItemConditionFailed(item);
  }

  /** The first step that is done. */
  async #attempt(
    key: readonly string[],
    condition: Condition,
    steps: readonly (false | (() => Promise<Written<string | null>>))[],
  ): Promise<Written<string | null>> {
    for (let tries = 1; ; tries++) {
      for (const step of steps) {
        const written = step ? await step() : NOTHING;
        if (written.value !== null) return written;
      }
      const found = await this.#options.get(key);
      if (tries === TRIES || !holds(condition, found)) throw new ItemConditionFailed(found);
    }
  }

  /** The step for an item that is there, or false where the condition rules that out. */
  #ifThere<T>(condition: Condition, step: (path: string | null) => T): false | (() => T) {
    const path = predicate(condition);
    if (path === false) return false;
    return () => step(path === true ? null : path);
  }

  #item(key: readonly string[], written: Written<string | null>): WrittenItem {
    return new StoredItem(this.#options.shape, key, written);
  }
}

/** Not decoded until it is asked for: many a write's answer is its text. */
class StoredItem implements WrittenItem {
  readonly receipt: Receipt;
  readonly #shape: ItemShape;
  readonly #key: readonly string[];
  readonly #attributes: string;
  #value: Item | undefined;
  #json: string | undefined;

  constructor(shape: ItemShape, key: readonly string[], { value, receipt }: Written<string | null>) {
    this.receipt = receipt;
    this.#shape = shape;
    this.#key = key;
    this.#attributes = value!;
  }

  get value(): Item {
    this.#value ??= this.#shape.itemOf(this.#key, this.#attributes)!;
    return this.#value;
  }

  get json(): string {
    this.#json ??= this.#shape.jsonOf(this.#key, this.#attributes);
    return this.#json;
  }
}

const itemAbsentOrNot: Condition = allOf();
const NO_RECEIPT: Receipt = { xid: null };
const NOTHING: Written<null> = { value: null, receipt: NO_RECEIPT };
