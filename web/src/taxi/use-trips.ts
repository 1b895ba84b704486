import { useEffect, useRef, useState } from 'react';
import { useTopicEvents } from '../live/use-live.ts';
import type { LonLat } from './projection.ts';

/** As `taxi/trips/all` tells it. */
export interface TripEvent {
  readonly id: string;
  readonly status: Status;
  readonly from: LonLat | null;
  readonly to: LonLat | null;
}

export type Status = 'Booked' | 'InProgress' | 'Completed' | 'Cancelled';

/** A trip on the map. */
export interface Shown extends TripEvent {
  /** When it came into its state (`performance.now()`). */
  readonly since: number;
}

export type Counts = Readonly<Record<Status, number>>;

const NONE: Counts = { Booked: 0, InProgress: 0, Completed: 0, Cancelled: 0 };
/** Trips on the map at once, at most. */
const MAX_SHOWN = 5000;
/** How long a trip that is over stays. */
export const LINGER_MS = 2500;
const COUNT_MS = 250;

/** The trips that change while the page is open, and how many are in which state. */
export function useTrips(): { readonly trips: ReadonlyMap<string, Shown>; readonly counts: Counts } {
  const trips = useRef(new Map<string, Shown>());
  const over = useRef({ Completed: 0, Cancelled: 0 });
  const [counts, setCounts] = useState(NONE);
  useTopicEvents<TripEvent>('taxi/trips/all', (events) => {
    const now = performance.now();
    for (const event of events) {
      const before = trips.current.get(event.id);
      if (isOver(event.status) && before?.status !== event.status) over.current[event.status]++;
      trips.current.delete(event.id);
      trips.current.set(event.id, { ...event, since: now });
    }
    for (const id of trips.current.keys()) {
      if (trips.current.size <= MAX_SHOWN) break;
      trips.current.delete(id);
    }
  });
  useEffect(() => {
    const timer = setInterval(() => {
      forget(trips.current);
      setCounts((shown) => {
        const next = { ...count(trips.current), ...over.current };
        return JSON.stringify(next) === JSON.stringify(shown) ? shown : next;
      });
    }, COUNT_MS);
    return () => clearInterval(timer);
  }, []);
  return { trips: trips.current, counts };
}

function isOver(status: Status): status is 'Completed' | 'Cancelled' {
  return status === 'Completed' || status === 'Cancelled';
}

function forget(trips: Map<string, Shown>): void {
  const now = performance.now();
  for (const [id, { status, since }] of trips) if (isOver(status) && now - since > LINGER_MS) trips.delete(id);
}

function count(trips: ReadonlyMap<string, Shown>): Counts {
  const counts = { ...NONE };
  for (const { status } of trips.values()) counts[status]++;
  return counts;
}
