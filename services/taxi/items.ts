import type { ItemTableDefinition } from '../../src/index.ts';

/** The item tables of the record; `migrations/` makes them. */

export const TRIPS = {
  name: 'taxi.trip_items',
  partition: 'riderid',
  sort: 'tripinfo',
  indexes: {
    status: { partition: 'STATUS', sort: 'tripinfo' },
    driver: { partition: 'DRIVER_NAME', sort: 'tripinfo' },
  },
} as const satisfies ItemTableDefinition;

export const RIDERS = { name: 'taxi.rider_items', partition: 'riderid' } as const satisfies ItemTableDefinition;

export const DRIVERS = { name: 'taxi.driver_items', partition: 'driverid' } as const satisfies ItemTableDefinition;

/** The states of a trip. Booked -> InProgress -> Completed; Cancelled from the first two. */
export const STATUSES = ['Booked', 'InProgress', 'Completed', 'Cancelled'] as const;
export type Status = (typeof STATUSES)[number];

/** Which states each step is allowed in, which it leads to, and what the trip then is: complete, so that a new step cannot be forgotten. */
export const STEPS = {
  accept: { from: ['Booked'], to: 'InProgress', done: 'accepted' },
  start: { from: ['InProgress'], to: 'InProgress', done: 'started' },
  complete: { from: ['InProgress'], to: 'Completed', done: 'completed' },
  cancel: { from: ['Booked', 'InProgress'], to: 'Cancelled', done: 'cancelled' },
} as const satisfies Record<string, { from: readonly Status[]; to: Status; done: string }>;
export type Step = keyof typeof STEPS;
