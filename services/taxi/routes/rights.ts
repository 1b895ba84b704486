import { ClientError, type Item, type Static, type User } from '../../../src/index.ts';
import { riderEmail } from '../riders.ts';
import type { TripQuery } from '../schemas.ts';
import { isAdmin, isDriver } from './signed-in.ts';

/** The rider's, the driver's, or an admin's. */
export function isOwn(trip: Item, user: User): boolean {
  return isAdmin(user) || trip.riderid === riderEmail(user.username) || isDriverOf(trip, user);
}

/** The name alone is not enough: generated drivers have names that anybody may sign up under. */
export function isDriverOf(trip: Item, user: User): boolean {
  return isDriver(user) && trip.DRIVER_NAME === user.username;
}

/** One list, and one that the user may see: their own, as a driver the Booked ones too. Throws 400 and 403. */
export function checkList(user: User, { rider, driver, status }: Static<typeof TripQuery>): void {
  const asked = [rider, driver, status].filter((each) => each !== undefined);
  if (asked.length !== 1) throw new ClientError(400, 'Ask for one of rider, driver or status.');
  const asDriver = isDriver(user) && (driver === user.username || status === 'Booked');
  if (rider === user.username || asDriver || isAdmin(user)) return;
  throw new ClientError(403, 'You may list the trips you booked; as a driver, those you drove and the Booked ones.');
}

export function forbidden(what: string): ClientError {
  return new ClientError(403, `This is not your trip: only its rider, its driver or an admin may ${what} it.`);
}
