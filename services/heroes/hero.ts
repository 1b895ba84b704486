import { isStorable } from '../../src/index.ts';

/** A row of `heroes.heroes`. */
export interface Hero {
  readonly id: number;
  readonly hero: string;
  readonly power: string;
  readonly name: string;
  readonly xp: number;
  readonly color: string;
}

/** A hero that has no id yet. */
export type NewHero = Omit<Hero, 'id'>;

/** The columns beside the id, in the table's order. */
export const FIELDS = ['hero', 'power', 'name', 'xp', 'color'] as const;

/** What the columns hold. */
export const MAX_TEXT = 20;
export const INTEGER = { min: -2_147_483_648, max: 2_147_483_647 };

/** A hero as sent, all fields there, or what is wrong with it, in words for the sender. */
export function readHero(sent: unknown): NewHero | string {
  return readFields(sent, FIELDS) as NewHero | string;
}

/** Those fields of a hero that are sent, at least one. */
export function readChanges(sent: unknown): Partial<NewHero> | string {
  if (!isObject(sent)) return `a hero must be an object, found ${found(sent)}`;
  const fields = FIELDS.filter((field) => sent[field] !== undefined);
  return fields.length > 0 ? readFields(sent, fields) : `at least one of ${FIELDS.join(', ')} must be there`;
}

/** The id of a hero: a whole number, or the same as digits. Undefined for anything else. */
export function readId(sent: unknown): number | undefined {
  const id = wholeNumber(sent);
  return id !== undefined && id >= INTEGER.min && id <= INTEGER.max ? id : undefined;
}

const [ZERO, NINE, COMMA, MINUS] = [0x30, 0x39, 0x2c, 0x2d];

/** Ids separated by commas, in one pass: this is on the way of every cached read. Undefined for anything else. */
export function readIds(text: string): number[] | undefined {
  const ids: number[] = [];
  let [value, digits, sign] = [0, 0, 1];
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? COMMA : text.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      value = value * 10 + code - ZERO;
      if (++digits > 10) return undefined;
    } else if (code === COMMA && digits > 0) {
      const id = sign * value;
      if (id < INTEGER.min || id > INTEGER.max) return undefined;
      ids.push(id);
      [value, digits, sign] = [0, 0, 1];
    } else if (code === MINUS && digits === 0 && sign === 1) sign = -1;
    else return undefined;
  }
  return ids;
}

function readFields(sent: unknown, fields: readonly (typeof FIELDS)[number][]): Partial<NewHero> | string {
  if (!isObject(sent)) return `a hero must be an object, found ${found(sent)}`;
  const unknown = Object.keys(sent).find((name) => name !== 'id' && !(FIELDS as readonly string[]).includes(name));
  if (unknown !== undefined) return `${found(unknown)} is no field of a hero; there are ${FIELDS.join(', ')}`;
  const hero: Record<string, string | number> = {};
  for (const field of fields) {
    const value = field === 'xp' ? readId(sent.xp) : text(sent[field]);
    if (value === undefined) return `${field} must be ${EXPECTED[field]}, found ${found(sent[field])}`;
    hero[field] = value;
  }
  return hero;
}

const A_TEXT = `text of at most ${MAX_TEXT} characters`;
const EXPECTED = {
  ...{ hero: A_TEXT, power: A_TEXT, name: A_TEXT, color: A_TEXT },
  xp: `a whole number from ${INTEGER.min} to ${INTEGER.max}`,
} as const;

/** Characters as PostgreSQL counts them. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2 * MAX_TEXT) return undefined;
  return isStorable(value) && [...value].length <= MAX_TEXT ? value : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in a message: short whatever was sent. */
export function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  const json = JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 40)}...` : json;
}
