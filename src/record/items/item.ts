import { ClientError } from '../errors.ts';
import { isStorable } from '../value.ts';
import { Decimal, numberFrom } from './decimal.ts';

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
  const text = encoded(attributes, 'item', 0);
  if (text.length * 3 > ITEM_LIMITS.itemBytes && Buffer.byteLength(text) > ITEM_LIMITS.itemBytes) {
    throw new ItemInvalid(`An item may have ${ITEM_LIMITS.itemBytes} bytes, and this one has ${text.length}.`);
  }
  return text;
}

/** The inverse of {@link encodeAttributes}. */
export function decodeAttributes(text: string): Item {
  const numbers = numbersIn(text);
  if (numbers === 'long') return JSON.parse(text, exactNumber as () => unknown);
  const parsed = JSON.parse(text) as Record<string, Attribute>;
  return numbers === 'fractions' ? withDecimals(parsed) : parsed;
}

/**
 * The same for who only writes the values down again: numbers are of JavaScript's where `String` of them is the number, exactly. Half
 * the time of decoding.
 */
export function attributesToWrite(text: string): Item {
  return numbersIn(text) === 'long' ? decodeAttributes(text) : JSON.parse(text);
}

const [ZERO, NINE, POINT, E, LOWER] = [48, 57, 46, 101, 32];
/** A double holds every number of so many digits and a point as it is written. */
const EXACT = 15;

/**
 * What numbers there may be: whole ones only, fractions too, or ones that a double does not hold (more digits, an exponent). Texts
 * that look like numbers count too, which costs time and no more. One pass, since regular expressions took longer than all else.
 */
function numbersIn(text: string): 'whole' | 'fractions' | 'long' {
  let fractions = false;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= ZERO && code <= NINE) || (code === POINT && run > 0)) {
      if (++run > EXACT) return 'long';
      fractions ||= code === POINT;
    } else {
      if (run > 0 && (code | LOWER) === E) return 'long';
      run = 0;
    }
  }
  return fractions ? 'fractions' : 'whole';
}

/** The fractions of an object or an array as Decimals. In place: four times as fast as a reviver that is called for each value. */
function withDecimals<Parts extends Record<string, Attribute> | Attribute[]>(parts: Parts): Parts {
  const values = parts as Record<string, Attribute>;
  for (const name in values) {
    const value = values[name]!;
    if (typeof value === 'number') {
      if (!Number.isInteger(value)) values[name] = Decimal.ofDouble(value);
    } else if (typeof value === 'object' && value !== null) withDecimals(value as Record<string, Attribute>);
  }
  return parts;
}

function exactNumber(_name: string, value: unknown, { source }: { source: string }): unknown {
  return typeof value === 'number' ? numberFrom(source) : value;
}

/** One value as JSON text. */
export function encodeScalar(value: Scalar, name: string): string {
  return encoded(value, name, 0);
}

export function checkKeyValue(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new ItemInvalid(`${name} must be a text that is not empty.`);
  checkText(value, name);
  if (Buffer.byteLength(value) <= ITEM_LIMITS.keyBytes) return value;
  throw new ItemInvalid(`${name} may have ${ITEM_LIMITS.keyBytes} bytes of UTF-8.`);
}

/** The value as JSON text, checked. */
function encoded(value: Attribute, name: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(checkText(value, name));
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : refuseNumber(name, value);
    case 'bigint':
      return new Decimal(String(value)).text;
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return value instanceof Decimal ? value.text : encodedParts(value, name, depth + 1);
    default:
      throw new ItemInvalid(`${name} is ${typeof value}, which an item cannot hold.`);
  }
}

function encodedParts(value: object, name: string, depth: number): string {
  if (depth > ITEM_LIMITS.depth) throw new ItemInvalid(`${name} is nested more than ${ITEM_LIMITS.depth} deep.`);
  if (Array.isArray(value))
    return `[${Array.from(value, (part, i) => encoded(part, `${name}[${i}]`, depth)).join(',')}]`;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new ItemInvalid(`${name} is an object of a class, which an item cannot hold.`);
  }
  let text = '';
  for (const key of Object.keys(value)) {
    const part = (value as Record<string, Attribute | undefined>)[key];
    if (part !== undefined) text += `${text && ','}${encodedName(key)}:${encoded(part, key, depth)}`;
  }
  return `{${text}}`;
}

/** Plain names need no check and no escape. */
const PLAIN_NAME = /^\w{1,255}$/;

function encodedName(name: string): string {
  return PLAIN_NAME.test(name) ? `"${name}"` : JSON.stringify(checkName(name));
}

function checkName(name: string): string {
  checkText(name, 'An attribute name');
  if (name !== '' && Buffer.byteLength(name) <= ITEM_LIMITS.nameBytes) return name;
  throw new ItemInvalid(`An attribute's name must have 1 to ${ITEM_LIMITS.nameBytes} bytes of UTF-8.`);
}

function checkText(text: string, name: string): string {
  if (isStorable(text)) return text;
  throw new ItemInvalid(`${name} holds a NUL or half a character: send well-formed Unicode text.`);
}

function refuseNumber(name: string, value: number): never {
  throw new ItemInvalid(`${name} is ${value}, which JavaScript does not keep exactly: give it as Decimal or bigint.`);
}
