import { setTimeout as sleep } from 'node:timers/promises';
import type { Item, PgRecord } from '../../src/index.ts';
import { acceptDetails, bookingDetails, completeDetails } from './details.ts';
import { guessing } from './repeats.ts';
import { kioskRider } from './riders.ts';
import { type TripKey, Trips } from './trips.ts';

export interface SimulationOptions {
  readonly record: PgRecord;
  readonly trips: number;
  /** Bookings a second. */
  readonly rate: number;
  /** How long a trip takes, about, in milliseconds; 4000 unless told. */
  readonly tripMs?: number;
  progress?(completed: number): void;
}

export interface SimulationReport {
  readonly completed: number;
  readonly cancelled: number;
  readonly seconds: number;
}

/** Riders known to the simulation; all are registered. */
const RIDERS = 5000;

/** Books trips at a rate, and takes each through its states as riders and drivers would. */
export async function simulate({
  record,
  trips: count,
  rate,
  tripMs = 4000,
  progress,
}: SimulationOptions): Promise<SimulationReport> {
  const trips = new Trips({ record });
  const report = { completed: 0, cancelled: 0 };
  const started = performance.now();
  const under: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    await until(started + (n / rate) * 1000);
    const one = oneTrip(trips, tripMs).then((outcome) => {
      report[outcome]++;
      progress?.(report.completed + report.cancelled);
    });
    one.catch(() => {}); // told below
    under.push(one);
  }
  await Promise.all(under);
  return { ...report, seconds: (performance.now() - started) / 1000 };
}

async function oneTrip(trips: Trips, tripMs: number): Promise<'completed' | 'cancelled'> {
  const rider = { ...kioskRider(String(1 + Math.floor(Math.random() * RIDERS))), mobile: '+12125550199' };
  const { value } = await trips.book(rider, bookingDetails({}));
  const key = keyOf(value);
  await pause(tripMs * 0.25);
  if (Math.random() < 0.03) {
    await trips.cancel(key, { CANCEL_DATETIME: new Date().toISOString() });
    return 'cancelled';
  }
  const pickup = { pickup_longitude: Number(value.PICKUP_LONGITUDE), pickup_latitude: Number(value.PICKUP_LATITUDE) };
  const accepted = await guessing(() => trips.accept(key, acceptDetails(pickup)));
  await pause(tripMs * 0.75);
  await trips.complete(key, completeDetails(accepted.value, {}));
  return 'completed';
}

function keyOf({ riderid, tripinfo }: Item): TripKey {
  return { riderid: String(riderid), tripinfo: String(tripinfo) };
}

/** Half to one and a half times as long. */
async function pause(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms * (0.5 + Math.random()));
}

async function until(time: number): Promise<void> {
  const left = time - performance.now();
  if (left > 1) await sleep(left);
}
