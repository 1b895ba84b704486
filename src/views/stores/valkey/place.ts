import type { Value } from '../../../record/value.ts';
import { valueText } from './row-text.ts';

/** 10^19, above every int8. */
const TOP = 10_000_000_000_000_000_000n;

/**
 * An integer (any int8) as 20 digits that sort as text in its order: 1 and the number, or for a negative one 0 and what is
 * left to 10^19. Lua's numbers and the scores of sorted sets are exact to 2^53 only.
 */
export function placeOf(id: Value): string {
  if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) return `1${String(id).padStart(19, '0')}`;
  const number = BigInt(id as number | bigint);
  return number >= 0n ? `1${digits(number)}` : `0${digits(TOP + number)}`;
}

function digits(number: bigint): string {
  return String(number).padStart(19, '0');
}

/** The inverse: a number while that is exact. */
export function idOf(place: string): number | bigint {
  const number = BigInt(place.slice(1)) - (place.startsWith('1') ? 0n : TOP);
  return Number.isSafeInteger(Number(number)) ? Number(number) : number;
}

/** A read mark: a place, or none. */
export function markText(mark: Value): string {
  return mark === undefined || mark === null ? valueText(mark) : placeOf(mark);
}

/** The inverse; a bigint beyond 2^53, as a row has it. */
export function markFrom(text: string): number | null {
  return text === 'null' ? null : (idOf(text) as number);
}
