import { anyOf, attributeAbsent, type Condition, compare } from './condition.ts';
import { checkKeyValue, decodeAttributes, encodeAttributes, type Item, ItemInvalid } from './item.ts';
import type { ItemTableDefinition, ItemUpdate } from './item-table.ts';
import { keyColumns } from './pg-statements.ts';

/** What items of one table look like: checks them, and takes them apart into key and attributes. */
export class ItemShape {
  readonly keys: readonly string[];
  /** Attributes that a secondary index needs to be texts. */
  readonly #indexed: ReadonlySet<string>;

  constructor(definition: ItemTableDefinition) {
    this.keys = keyColumns(definition);
    if (this.keys.includes('attributes')) throw new TypeError('no key may be named "attributes"');
    const indexed = Object.values(definition.indexes ?? {}).flatMap((index) => [index.partition, index.sort ?? []]);
    this.#indexed = new Set(indexed.flat().filter((name) => !this.keys.includes(name)));
  }

  /** The key's values. Throws `ItemInvalid`. */
  keyOf(key: Item): string[] {
    return this.keys.map((name) => checkKeyValue(key[name], name));
  }

  /** One text for the key at the start of a statement's values. */
  nameOf(values: readonly unknown[]): string {
    return values.slice(0, this.keys.length).join('\0');
  }

  attributesOf(item: Item): string {
    return this.#encode(Object.fromEntries(Object.entries(item).filter(([name]) => !this.keys.includes(name))));
  }

  itemOf(key: readonly string[], attributes: string | null | undefined): Item | undefined {
    if (attributes === null || attributes === undefined) return undefined;
    return { ...Object.fromEntries(this.keys.map((name, i) => [name, key[i]!])), ...decodeAttributes(attributes) };
  }

  /** The same item as JSON text. */
  jsonOf(key: readonly string[], attributes: string): string {
    const own = this.keys.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(key[i])}`).join(',');
    return attributes === '{}' ? `{${own}}` : `{${own},${compact(attributes).slice(1)}`;
  }

  /** The values of an update: set, removed, added. */
  updateOf({
    set = {},
    remove = [],
    add = {},
  }: ItemUpdate): [set: string, removed: string | null, added: string | null] {
    const added = Object.keys(add);
    const names = [...Object.keys(set), ...remove, ...added];
    if (new Set(names).size < names.length) throw new ItemInvalid('An update may name an attribute once.');
    const key = names.find((name) => this.keys.includes(name));
    if (key !== undefined) throw new ItemInvalid(`${key} belongs to the key and cannot be changed.`);
    const indexed = added.find((name) => this.#indexed.has(name));
    if (indexed !== undefined) throw new ItemInvalid(`${indexed} is indexed and so no number.`);
    return [
      this.#encode(set),
      remove.length > 0 ? JSON.stringify(remove) : null,
      added.length > 0 ? encodeAttributes(add) : null,
    ];
  }

  #encode(attributes: Item): string {
    for (const name of this.#indexed) if (attributes[name] !== undefined) checkKeyValue(attributes[name], name);
    return encodeAttributes(attributes);
  }
}

/** Only numbers can be added to. */
export function addable({ add = {} }: ItemUpdate): Condition[] {
  return Object.keys(add).map((name) => anyOf(attributeAbsent(name), isNumber(name)));
}

function isNumber(name: string): Condition {
  return anyOf(compare(name, '<=', 0), compare(name, '>', 0));
}

const [QUOTE, BACKSLASH, SPACE] = [34, 92, 32];

/** JSON text without the spaces that PostgreSQL puts between its parts. */
function compact(text: string): string {
  let out = '';
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted) i += code === BACKSLASH ? 1 : 0;
    else if (code === SPACE) {
      out += text.slice(from, i);
      from = i + 1;
    }
  }
  return out + text.slice(from);
}
