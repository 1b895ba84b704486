import { Decimal } from '../../src/index.ts';
import type { Cents, Part } from './money.ts';

export type Random = () => number;

/** Where trips begin and end: neighbourhoods of New York, and how often (Manhattan most, then the airports). */
const PLACES: readonly (readonly [longitude: number, latitude: number, spread: number, weight: number])[] = [
  [-73.985, 40.758, 0.012, 34],
  [-73.99, 40.734, 0.01, 22],
  [-73.96, 40.774, 0.01, 18],
  [-74.008, 40.711, 0.005, 10],
  [-73.95, 40.81, 0.008, 5],
  [-73.874, 40.773, 0.003, 6],
  [-73.786, 40.644, 0.006, 6],
  [-73.95, 40.688, 0.018, 9],
  [-73.93, 40.757, 0.01, 5],
  [-73.85, 40.735, 0.02, 3],
  [-73.892, 40.845, 0.014, 3],
  [-74.12, 40.6, 0.012, 1],
];
const WEIGHT = PLACES.reduce((sum, [, , , weight]) => sum + weight, 0);

export interface Place {
  readonly longitude: number;
  readonly latitude: number;
}

/** A realistic place, to the sixth decimal. */
export function place(random: Random): Place {
  const [longitude, latitude, spread] = anyPlace(random() * WEIGHT);
  const off = () => (random() + random() - 1) * spread;
  return { longitude: longitude + off(), latitude: latitude + off() };
}

function anyPlace(at: number): (typeof PLACES)[number] {
  let left = at;
  for (const each of PLACES) {
    left -= each[3];
    if (left < 0) return each;
  }
  return PLACES[0]!;
}

/** Six decimal places, as an exact number. */
export function degrees(value: number): number | Decimal {
  return exact(Math.round(value * 1e6), 6);
}

/** Two decimal places, as an exact number. */
export function miles(value: number): number | Decimal {
  return exact(Math.round(value * 100), 2);
}

function exact(units: number, digits: number): number | Decimal {
  return units % 10 ** digits === 0 ? units / 10 ** digits : Decimal.of(BigInt(units), digits);
}

/** Miles by road between two places, about. */
export function distance(from: Place, to: Place): number {
  const north = (to.latitude - from.latitude) * 69;
  const east = (to.longitude - from.longitude) * 52.4;
  return Math.max(0.1, Math.hypot(north, east) * 1.3);
}

/** The meter's amounts for so many miles (the city's tariff), with a tip and tolls as people pay them. */
export function fare(distanceMiles: number, random: Random): Record<Part, Cents> {
  const metered = 300 + Math.round(distanceMiles * 5) * 70;
  const tolls = distanceMiles > 9 && random() < 0.5 ? 694 : 0;
  const tip = random() < 0.65 ? Math.round(metered * (0.1 + random() * 0.15)) : 0;
  return {
    FARE_AMOUNT: BigInt(metered),
    EXTRA: random() < 0.3 ? 100n : 0n,
    MTA_TAX: 50n,
    TIP_AMOUNT: BigInt(tip),
    TOLLS_AMOUNT: BigInt(tolls),
    IMPROVEMENT_SURCHARGE: 100n,
  };
}

/** One of `1 ... n`, the first ones most often. */
export function choice(n: number, random: Random): number {
  return 1 + Math.floor(random() ** 3 * n);
}
