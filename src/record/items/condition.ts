import { Decimal, unitsOf } from './decimal.ts';
import type { Attribute, Item, Scalar } from './item.ts';

/**
 * What must be so for a write to happen, as data. Comparisons are false for an attribute that is absent or of another type, and
 * so true under `not`. (DynamoDB's condition expressions, as far as PostgreSQL's jsonpath has the same.)
 */
export type Condition =
  | { readonly kind: 'item'; readonly exists: boolean }
  | { readonly kind: 'attribute'; readonly name: string; readonly exists: boolean }
  | { readonly kind: 'compare'; readonly name: string; readonly is: Comparison; readonly value: Scalar }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** There is no item of this key. */
export const itemAbsent: Condition = { kind: 'item', exists: false };
/** There is an item of this key. */
export const itemExists: Condition = { kind: 'item', exists: true };

export function attributeExists(name: string): Condition {
  return { kind: 'attribute', name, exists: true };
}

export function attributeAbsent(name: string): Condition {
  return { kind: 'attribute', name, exists: false };
}

/** `compare('AGE', '>=', 18)`: numbers by value, texts by their UTF-8 bytes; true, false and null only with `=`. */
export function compare(name: string, is: Comparison, value: Scalar): Condition {
  return { kind: 'compare', name, is, value };
}

export function equals(name: string, value: Scalar): Condition {
  return compare(name, '=', value);
}

export function oneOf(name: string, values: readonly Scalar[]): Condition {
  return anyOf(...values.map((value) => equals(name, value)));
}

export function allOf(...of: readonly Condition[]): Condition {
  return { kind: 'all', of };
}

export function anyOf(...of: readonly Condition[]): Condition {
  return { kind: 'any', of };
}

export function not(of: Condition): Condition {
  return { kind: 'not', of };
}

/** Whether the condition holds for an item; undefined is none. What every engine must agree with. */
export function holds(condition: Condition, item: Item | undefined): boolean {
  switch (condition.kind) {
    case 'item':
      return (item !== undefined) === condition.exists;
    case 'attribute':
      return (item?.[condition.name] !== undefined) === condition.exists;
    case 'compare':
      return compares(item?.[condition.name], condition.is, condition.value);
    case 'all':
      return condition.of.every((each) => holds(each, item));
    case 'any':
      return condition.of.some((each) => holds(each, item));
    case 'not':
      return !holds(condition.of, item);
  }
}

function compares(found: Attribute | undefined, is: Comparison, value: Scalar): boolean {
  const order = found === undefined ? undefined : orderOf(found, value);
  if (order === undefined) return false;
  if (is === '=') return order === 0;
  if (typeof value === 'boolean' || value === null) return false;
  return is.startsWith('<') ? order < 0 || (is === '<=' && order === 0) : order > 0 || (is === '>=' && order === 0);
}

/** Below, at or above zero as `found` is to `value`; undefined where the two do not compare. */
function orderOf(found: Attribute, value: Scalar): number | undefined {
  if (isNumber(found) && isNumber(value)) {
    const difference = digits(found) - digits(value);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  if (typeof found === 'string' && typeof value === 'string')
    return Buffer.compare(Buffer.from(found), Buffer.from(value));
  return found === value ? 0 : typeof found === typeof value && typeof found === 'boolean' ? 1 : undefined;
}

function isNumber(value: Attribute): value is number | bigint | Decimal {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal;
}

/** Enough places for any Decimal. */
function digits(value: number | bigint | Decimal): bigint {
  return unitsOf(value, 170);
}
