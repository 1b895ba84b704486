import type { Comparison, Condition } from './condition.ts';
import { encodeScalar, type Scalar } from './item.ts';

/**
 * The condition for an item that is there, as a jsonpath predicate on its attributes (PostgreSQL manual 9.16.2), so that
 * conditions of many rows travel as data in one statement. True and false where no attribute decides.
 *
 * Each comparison asks for the type first: jsonpath unwraps arrays, and leaves a comparison of two types unknown, which would
 * be neither true nor, under `!`, false.
 */
export function predicate(condition: Condition): string | boolean {
  switch (condition.kind) {
    case 'item':
      return condition.exists;
    case 'attribute':
      return condition.exists ? `exists(${path(condition.name)})` : `!exists(${path(condition.name)})`;
    case 'compare':
      return comparison(path(condition.name), condition.is, condition.value, condition.name);
    case 'all':
      return joined(condition.of, '&&', false);
    case 'any':
      return joined(condition.of, '||', true);
    case 'not':
      return negated(predicate(condition.of));
  }
}

function path(name: string): string {
  return `$.${JSON.stringify(name)}`;
}

const TYPES: Readonly<Record<string, string>> = { string: 'string', boolean: 'boolean' };

function comparison(at: string, is: Comparison, value: Scalar, name: string): string | boolean {
  const ordered = typeof value !== 'boolean' && value !== null;
  if (is !== '=' && !ordered) return false;
  const type = value === null ? 'null' : (TYPES[typeof value] ?? 'number');
  return `(${at}.type() == "${type}" && ${at} ${is === '=' ? '==' : is} ${encodeScalar(value, name)})`;
}

/** `decisive`: the constant that settles the whole. */
function joined(conditions: readonly Condition[], operator: '&&' | '||', decisive: boolean): string | boolean {
  const parts = conditions.map(predicate);
  if (parts.includes(decisive)) return decisive;
  const open = parts.filter((part) => typeof part === 'string');
  return open.length === 0 ? !decisive : `(${open.join(` ${operator} `)})`;
}

function negated(part: string | boolean): string | boolean {
  return typeof part === 'boolean' ? !part : `!(${part})`;
}
