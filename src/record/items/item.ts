import { ClientError } from '../errors.ts';
import { Decimal, numberFrom, rawJson } from './decimal.ts';

export type Scalar = string | number | bigint | Decimal | boolean | null;
/** A value in an item. Numbers are exact: a JavaScript number must be a safe integer, anything else a bigint or a Decimal. */
export type Attribute = Scalar | readonly Attribute[] | { readonly [name: string]: Attribute };
/** An item with all its attributes, those of its key among them. */
export type Item = { readonly [name: string]: Attribute };
/** The key's attributes: the partition key, and the sort key where the table has one. */
export type ItemKey = Readonly<Record<string, string>>;

/** What cannot be an item, or a key; the message names the attribute. */
export class ItemInvalid extends ClientError {
  constructor(message: string) {
    super(400, message);
    this.name = 'ItemInvalid';
  }
}

/** Both engines' limits, whichever is smaller. */
export const ITEM_LIMITS = { keyBytes: 1024, nameBytes: 255, itemBytes: 400 * 1024, depth: 32 } as const;

/** Attributes as JSON text. Throws `ItemInvalid`. */
export function encodeAttributes(attributes: Item): string {
  const text = JSON.stringify(encodable(attributes, 'item', 0));
  if (Buffer.byteLength(text) > ITEM_LIMITS.itemBytes) {
    throw new ItemInvalid(`An item may have ${ITEM_LIMITS.itemBytes} bytes, and this one has ${text.length}.`);
  }
  return text;
}

/** Where a number may be one that JavaScript would not keep: a fraction, an exponent, 16 digits. */
const INEXACT = /\d[.eE]|\d{16}/;

/** The inverse of {@link encodeAttributes}. */
export function decodeAttributes(text: string): Item {
  return INEXACT.test(text) ? JSON.parse(text, exactNumber as () => unknown) : JSON.parse(text);
}

function exactNumber(_name: string, value: unknown, { source }: { source: string }): unknown {
  return typeof value === 'number' ? numberFrom(source) : value;
}

/** One value as JSON text. */
export function encodeScalar(value: Scalar, name: string): string {
  return JSON.stringify(encodable(value, name, 0));
}

export function checkKeyValue(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new ItemInvalid(`${name} must be a text that is not empty.`);
  checkText(value, name);
  if (Buffer.byteLength(value) <= ITEM_LIMITS.keyBytes) return value;
  throw new ItemInvalid(`${name} may have ${ITEM_LIMITS.keyBytes} bytes of UTF-8.`);
}

/** The value with its bigints as JSON writes them, checked. */
function encodable(value: Attribute, name: string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return checkText(value, name);
    case 'number':
      return Number.isSafeInteger(value) ? value : refuseNumber(name, value);
    case 'bigint':
      return rawJson(new Decimal(String(value)).text);
    case 'boolean':
      return value;
    case 'object':
      return value === null || value instanceof Decimal ? value : encodableParts(value, name, depth + 1);
    default:
      throw new ItemInvalid(`${name} is ${typeof value}, which an item cannot hold.`);
  }
}

function encodableParts(value: object, name: string, depth: number): unknown {
  if (depth > ITEM_LIMITS.depth) throw new ItemInvalid(`${name} is nested more than ${ITEM_LIMITS.depth} deep.`);
  if (Array.isArray(value)) return value.map((part, i) => encodable(part, `${name}[${i}]`, depth));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new ItemInvalid(`${name} is an object of a class, which an item cannot hold.`);
  }
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(parts.map(([key, part]) => [checkName(key), encodable(part, key, depth)]));
}

function checkName(name: string): string {
  checkText(name, 'An attribute name');
  if (name !== '' && Buffer.byteLength(name) <= ITEM_LIMITS.nameBytes) return name;
  throw new ItemInvalid(`An attribute's name must have 1 to ${ITEM_LIMITS.nameBytes} bytes of UTF-8.`);
}

/** PostgreSQL's text holds no NUL, and UTF-8 no half of a surrogate pair. */
function checkText(text: string, name: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  throw new ItemInvalid(`${name} holds a NUL or half a character: send well-formed Unicode text.`);
}

function refuseNumber(name: string, value: number): never {
  throw new ItemInvalid(`${name} is ${value}, which JavaScript does not keep exactly: give it as Decimal or bigint.`);
}
