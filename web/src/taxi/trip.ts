import { client } from '../client.ts';

/** A trip as the kiosk's calls answer it: its attributes. */
export interface Trip {
  readonly riderid: string;
  readonly tripinfo: string;
  readonly RIDER_ID: number;
  readonly STATUS: string;
  readonly DRIVER_NAME?: string;
  readonly VEHICLE_ID?: string;
  readonly TRIP_DISTANCE?: number;
  readonly FARE_AMOUNT?: number;
  readonly TOTAL_AMOUNT?: number;
}

export async function book(riderId: string, mobile: string): Promise<Trip> {
  return get('riderbook', { rider_id: riderId, rider_mobile: mobile });
}

/** `driveraccept` or `drivercomplete`. */
export async function step(call: 'driveraccept' | 'drivercomplete', trip: Trip): Promise<Trip> {
  return get(call, { rider_id: String(trip.RIDER_ID), trip_info: trip.tripinfo });
}

async function get(call: string, parameters: Record<string, string>): Promise<Trip> {
  const { body } = await client.send<Trip>(`GET /taxi/${call}`, { query: parameters });
  return body;
}

export function money(amount: number | string | undefined): string {
  return Number(amount ?? 0).toLocaleString('en', { style: 'currency', currency: 'USD' });
}
