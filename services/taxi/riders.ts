import { ClientError, type User } from '../../src/index.ts';
import { numberOf, type Rider, type TripKey } from './trips.ts';

const MAX_RIDER_ID = 999_999_999;

/** The kiosk's rider of this number. Throws 400 for what is none. */
export function kioskRider(id: unknown): Omit<Rider, 'mobile'> {
  if (typeof id !== 'string' || !/^[1-9]\d{0,8}$/.test(id)) {
    throw new ClientError(400, `rider_id must be a number from 1 to ${MAX_RIDER_ID}, such as 71463.`);
  }
  const name = `person${id}`;
  return { id: Number(id), name, email: `${name}@example.com` };
}

/** Of a URL, where a `+` that was not escaped arrives as a space. Throws 400 for what is no telephone number. */
export function kioskMobile(value: unknown): string {
  const text = typeof value === 'string' ? value.replace(/^ /, '+') : '';
  return mobileNumber(text, 'rider_mobile', '+11492133668 (as %2B11492133668 in a URL)');
}

/** Throws 400 for what is no telephone number, with what the caller calls it and how it may be written there. */
export function mobileNumber(text: string, name = 'mobile', example = '+11492133668'): string {
  if (/^\+?\d{5,15}$/.test(text)) return text;
  throw new ClientError(400, `${name} must be a telephone number of 5 to 15 digits, such as ${example}.`);
}

/** The account as a rider. Its trips are found under its name, which nobody else can have. */
export function riderOf(user: User, mobile: string): Rider {
  const seeded = /^person([1-9]\d{0,8})$/.exec(user.username);
  const id = seeded ? Number(seeded[1]) : 1_000_000_000 + numberOf(user.username, 1_000_000_000_000);
  return { id, name: user.username, email: riderEmail(user.username), mobile };
}

/** The key of a rider's trips: by name, so that an e-mail address that changes, or was somebody else's, opens nothing. */
export function riderEmail(username: string): string {
  return `${username.toLowerCase()}@example.com`;
}

const INFO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d{7}$/;

/** Throws 400 for what is no `trip_info`. */
export function checkedInfo(value: unknown, name = 'trip_info'): string {
  if (typeof value === 'string' && INFO.test(value)) return value;
  throw new ClientError(400, `${name} must be as the booking gave it, such as 2020-04-05T18:52:42Z,8987397.`);
}

/** A trip's id in paths: `<rider>,<tripinfo>`. */
export function tripId({ riderid, tripinfo }: { readonly riderid?: unknown; readonly tripinfo?: unknown }): string {
  return `${riderid},${tripinfo}`;
}

/** The inverse. Throws 404: such a trip cannot be. */
export function tripKey(id: string): TripKey {
  const comma = id.indexOf(',');
  const [riderid, tripinfo] = [id.slice(0, comma), id.slice(comma + 1)];
  if (comma > 0 && INFO.test(tripinfo)) return { riderid, tripinfo };
  throw new ClientError(404, 'There is no such trip: its id is <rider>,<tripinfo>, as GET /taxi/trips shows it.');
}
