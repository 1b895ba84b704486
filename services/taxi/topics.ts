import type { Change, Topic } from '../../src/index.ts';

/** What a map needs to know of a trip: no names, no amounts. */
export interface TripEvent {
  readonly id: string;
  readonly status: string;
  readonly from: readonly [longitude: number, latitude: number] | null;
  readonly to: readonly [longitude: number, latitude: number] | null;
}

/** `taxi/trips/all`: each change of a trip. Tells where, not who. */
export function topics(): Record<string, Topic> {
  return { trips: { type: 'events', keepBytes: 2 ** 20, whileFollowed: true, events } };
}

function* events(change: Change): Generator<{ key: string; data: TripEvent }> {
  if (change.table.name !== 'taxi.trip_items' || !change.after) return;
  const { tripinfo, attributes } = change.after;
  if (typeof attributes !== 'string') return;
  // A map does with numbers as JavaScript has them.
  const item = JSON.parse(attributes) as Record<string, unknown>;
  const at = (name: string): TripEvent['from'] => {
    const [longitude, latitude] = [item[`${name}_LONGITUDE`], item[`${name}_LATITUDE`]];
    return longitude === undefined || latitude === undefined ? null : [Number(longitude), Number(latitude)];
  };
  yield {
    key: 'all',
    data: { id: tripinfo as string, status: String(item.STATUS), from: at('PICKUP'), to: at('DROPOFF') },
  };
}
