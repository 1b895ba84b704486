import { type Attribute, ClientError, Decimal, type Item } from '../../src/index.ts';
import { centsOf, fareAttributes, PARTS, type Part } from './money.ts';
import { choice, degrees, distance, fare, miles, type Place, place, type Random } from './simulated.ts';

type Details = Record<string, Attribute>;
/** What a caller may give of a step, checked by the routes; what is missing is made up. */
export type Given = Readonly<Record<string, unknown>>;

/** Where the rider is and how many there are: from booking on, if the caller says so. */
export function bookingDetails(given: Given, random: Random = Math.random): Details {
  const at = placeOf(given, 'pickup') ?? place(random);
  return {
    PICKUP_LONGITUDE: degrees(at.longitude),
    PICKUP_LATITUDE: degrees(at.latitude),
    PASSENGER_COUNT: whole(given, 'passenger_count', 1, 9) ?? choice(6, random),
  };
}

export function acceptDetails(given: Given, random: Random = Math.random): Details {
  const at = placeOf(given, 'pickup') ?? place(random);
  return {
    PICKUP_LONGITUDE: degrees(at.longitude),
    PICKUP_LATITUDE: degrees(at.latitude),
    TRIP_TYPE: whole(given, 'trip_type', 1, 2) ?? choice(2, random),
    STORE_AND_FWD_FLAG: given.store_and_fwd_flag === true ? 'Y' : 'N',
  };
}

export function completeDetails(trip: Item, given: Given, random: Random = Math.random): Details {
  const to = placeOf(given, 'dropoff') ?? place(random);
  const from = pickupOf(trip) ?? to;
  const driven = numeric(given, 'trip_distance', 0, 9999) ?? distance(from, to);
  const amounts = { ...fare(driven, random) };
  for (const part of PARTS) {
    const name = part.toLowerCase();
    if (given[name] !== undefined) amounts[part as Part] = centsOf(given[name], name);
  }
  return {
    DROPOFF_DATETIME: new Date().toISOString(),
    DROPOFF_LONGITUDE: degrees(to.longitude),
    DROPOFF_LATITUDE: degrees(to.latitude),
    TRIP_DISTANCE: miles(driven),
    ...fareAttributes(amounts),
    RATE_CODE_ID: whole(given, 'rate_code_id', 1, 6) ?? 1,
    PAYMENT_TYPE: whole(given, 'payment_type', 1, 4) ?? choice(2, random),
    PASSENGER_COUNT: whole(given, 'passenger_count', 1, 9) ?? trip.PASSENGER_COUNT ?? choice(6, random),
  };
}

/** Undefined before the trip has begun: then it cannot be completed, which the state says. */
function pickupOf({ PICKUP_LONGITUDE: longitude, PICKUP_LATITUDE: latitude }: Item): Place | undefined {
  if (longitude === undefined || latitude === undefined) return undefined;
  return { longitude: Number(longitude), latitude: Number(latitude) };
}

function placeOf(given: Given, name: 'pickup' | 'dropoff'): Place | undefined {
  const longitude = numeric(given, `${name}_longitude`, -180, 180);
  const latitude = numeric(given, `${name}_latitude`, -90, 90);
  if ((longitude === undefined) !== (latitude === undefined)) {
    throw new ClientError(400, `${name}_longitude and ${name}_latitude are given together or not at all.`);
  }
  return longitude === undefined ? undefined : { longitude, latitude: latitude! };
}

function whole(given: Given, name: string, min: number, max: number): number | undefined {
  const value = numeric(given, name, min, max);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new ClientError(400, `${name} must be a whole number from ${min} to ${max}.`);
}

function numeric(given: Given, name: string, min: number, max: number): number | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  const text = String(value);
  const number = isDecimal(text) ? Number(text) : Number.NaN;
  if (['string', 'number'].includes(typeof value) && number >= min && number <= max) return number;
  throw new ClientError(400, `${name} must be a number from ${min} to ${max}.`);
}

function isDecimal(text: string): boolean {
  try {
    return new Decimal(text).text !== '';
  } catch {
    return false;
  }
}
