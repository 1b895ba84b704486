/** Digits a number may have: what DynamoDB keeps (PostgreSQL's numeric keeps more). */
const MAX_DIGITS = 38;
const MAX_EXPONENT = 125;
/** Says that a text needs no reading. */
const CANONICAL = Symbol('canonical');
const ZERO = 48;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * An exact decimal number that is no safe integer: money, measurements. Its text is canonical (no exponent, no zeros at the
 * end), so that equal numbers have equal texts whichever engine kept them. In JSON it is a plain number, written whole.
 */
export class Decimal {
  readonly text: string;

  /** From what JSON calls a number: `12.30`, `-7`, `1.5e-3`. Throws RangeError for anything else, and for more than 38 digits. */
  constructor(text: string, known?: typeof CANONICAL) {
    this.text = known === CANONICAL ? text : canonical(text);
  }

  /** A fraction that was written with at most 15 digits: its shortest text is it, exactly (ECMAScript 6.1.6.1.20). */
  static ofDouble(value: number): Decimal {
    return Math.abs(value) < 1e-6 ? new Decimal(String(value)) : new Decimal(String(value), CANONICAL);
  }

  /** `units / 10^digits`: `Decimal.of(1230n, 2)` is 12.3. */
  static of(units: bigint, digits: number): Decimal {
    const sign = units < 0n ? '-' : '';
    const all = String(units < 0n ? -units : units).padStart(digits + 1, '0');
    if (all.length > MAX_DIGITS) return new Decimal(`${sign}${all}e-${digits}`);
    let end = all.length;
    while (end > all.length - digits && all.charCodeAt(end - 1) === ZERO) end--;
    const point = all.length - digits;
    const fraction = end > point ? `.${all.slice(point, end)}` : '';
    return new Decimal(`${sign}${all.slice(0, point)}${fraction}`, CANONICAL);
  }

  /** The number times 10^digits, exactly. Throws RangeError where that is no whole number. */
  units(digits: number): bigint {
    const [whole = '', fraction = ''] = this.text.split('.');
    if (fraction.length > digits) throw new RangeError(`${this.text} has more than ${digits} decimal places`);
    return BigInt(whole + fraction.padEnd(digits, '0'));
  }

  toString(): string {
    return this.text;
  }

  toJSON(): unknown {
    return rawJson(this.text);
  }
}

/** JSON text as it is, inside `JSON.stringify` (ECMAScript's JSON.rawJSON, which TypeScript's library does not know yet). */
export const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** A number of any of the three forms, times 10^digits, exactly. Throws RangeError where that is no whole number. */
export function unitsOf(value: number | bigint | Decimal, digits: number): bigint {
  return (value instanceof Decimal ? value : new Decimal(String(value))).units(digits);
}

/** What a number's text is handed out as: a whole number as number or bigint, any other as Decimal. */
export function numberFrom(text: string): number | bigint | Decimal {
  const decimal = new Decimal(text);
  if (decimal.text.includes('.')) return decimal;
  const value = Number(decimal.text);
  return Number.isSafeInteger(value) ? value : BigInt(decimal.text);
}

function canonical(text: string): string {
  const match = NUMBER.exec(text);
  if (!match) throw new RangeError(`${JSON.stringify(text)} is not a number`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const point = digits.length - fraction.length + Number(exponent);
  if (significant.length > MAX_DIGITS || Math.abs(point) > MAX_EXPONENT) {
    throw new RangeError(`${text} has more than ${MAX_DIGITS} digits, or is beyond 10^${MAX_EXPONENT}`);
  }
  return `${sign}${placed(significant, point)}`;
}

/** The digits with the decimal point after `point` of them. */
function placed(digits: string, point: number): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
