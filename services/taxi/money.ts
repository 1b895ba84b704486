import { type Attribute, ClientError, Decimal, unitsOf } from '../../src/index.ts';

/** What a fare is made of, in the order in which it is printed. */
export const PARTS = [
  'FARE_AMOUNT',
  'EXTRA',
  'MTA_TAX',
  'TIP_AMOUNT',
  'TOLLS_AMOUNT',
  'IMPROVEMENT_SURCHARGE',
] as const;
export type Part = (typeof PARTS)[number];

/** Money is counted in cents; as an attribute it is an exact number of dollars. */
export type Cents = bigint;

const MAX_CENTS = 100_000_00n;

export function dollars(cents: Cents): number | Decimal {
  return cents % 100n === 0n ? Number(cents / 100n) : Decimal.of(cents, 2);
}

/** Cents of an attribute or of what a client sent: a number or its text, with two decimal places at most. Throws 400. */
export function centsOf(value: unknown, name: string): Cents {
  try {
    if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Decimal)) throw new RangeError();
    const cents = unitsOf(value instanceof Decimal ? value : new Decimal(String(value)), 2);
    if (cents >= 0n && cents <= MAX_CENTS) return cents;
  } catch {
    // told below
  }
  throw new ClientError(
    400,
    `${name} must be an amount from 0 to 100000 with at most two decimal places, such as 12.30.`,
  );
}

/** The parts and their exact sum, as attributes. */
export function fareAttributes(parts: Readonly<Record<Part, Cents>>): Record<string, Attribute> {
  const total = PARTS.reduce((sum, part) => sum + parts[part], 0n);
  const amounts = PARTS.map((part) => [part, dollars(parts[part])] as const);
  return { ...Object.fromEntries(amounts), TOTAL_AMOUNT: dollars(total) };
}
