import { createHash, randomInt } from 'node:crypto';
import {
  type Attribute,
  allOf,
  attributeAbsent,
  ClientError,
  type Condition,
  equals,
  type Item,
  ItemConditionFailed,
  type ItemKey,
  type ItemReads,
  type ItemTable,
  type ItemTableDefinition,
  type ItemTransaction,
  itemAbsent,
  oneOf,
  PgItemStore,
  type PgRecord,
  type RecordTransaction,
  type WrittenItem,
} from '../../src/index.ts';
import { FreeDrivers } from './drivers.ts';
import { DRIVERS, STEPS, type Step, TRIPS } from './items.ts';

export interface Rider {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly mobile: string;
}

export interface TripKey extends ItemKey {
  readonly riderid: string;
  readonly tripinfo: string;
}

/** Trips that a node remembers, at most. */
const MAX_KNOWN = 100_000;
/** A table by itself, or in a transaction. */
type Table = Pick<ItemTable, 'put' | 'update' | 'get'> & ItemReads;

/** The driver is on another trip. */
export class DriverBusy extends ClientError {
  /** Nobody named the driver: another one will do. */
  readonly guessed: boolean;
  constructor(driver: string, guessed: boolean) {
    const message = guessed
      ? 'No free driver was found. Try again in a moment.'
      : `Driver ${driver} is on another trip.`;
    super(409, message, { members: { driver } });
    this.guessed = guessed;
  }
}

/** Everything that changes trips: conditional writes of items. */
export class Trips {
  readonly #trips: Table;
  readonly #drivers: Table;
  readonly #free: FreeDrivers;
  /** Of trips that this node has seen accepted and not yet over: what a completion needs to know, so that it need not read it. */
  readonly #driving: Map<string, Item>;

  readonly #store: PgItemStore;

  constructor(options: { record: PgRecord });
  constructor(options: { of: Trips; tx: RecordTransaction });
  constructor(options: { record: PgRecord } | { of: Trips; tx: RecordTransaction }) {
    if ('of' in options) {
      const { of, tx } = options;
      this.#store = of.#store;
      this.#free = of.#free;
      this.#driving = of.#driving;
      const table = (definition: ItemTableDefinition) => written(this.#store.within(tx, definition));
      [this.#trips, this.#drivers] = [table(TRIPS), table(DRIVERS)];
    } else {
      this.#store = new PgItemStore(options);
      this.#free = new FreeDrivers(options);
      this.#driving = new Map();
      const table = (definition: ItemTableDefinition) => this.#store.table(definition);
      [this.#trips, this.#drivers] = [table(TRIPS), table(DRIVERS)];
    }
  }

  /** The same within a transaction. A driver who is on a trip (`DriverBusy`) ends that. */
  within(tx: RecordTransaction): Trips {
    return new Trips({ of: this, tx });
  }

  get table(): ItemReads {
    return this.#trips;
  }

  /** Throws 404. */
  async get(key: TripKey): Promise<Item> {
    return (await this.#trips.get(key)) ?? noTrip(key);
  }

  /** A new trip, Booked; its rider is registered with it where not known yet (a trigger's work). */
  async book(rider: Rider, details: Readonly<Record<string, Attribute>>): Promise<WrittenItem> {
    const now = new Date().toISOString();
    for (;;) {
      const id = randomInt(1_000_000, 10_000_000);
      const item = {
        riderid: rider.email,
        tripinfo: `${now.slice(0, 19)}Z,${id}`,
        ID: id,
        RIDER_ID: rider.id,
        RIDER_NAME: rider.name,
        RIDER_EMAIL: rider.email,
        RIDER_MOBILE: rider.mobile,
        PICKUP_DATETIME: now,
        STATUS: 'Booked',
        ...details,
      };
      try {
        return await this.#trips.put(item, { condition: itemAbsent });
      } catch (error) {
        if (!(error instanceof ItemConditionFailed)) throw error; // the same rider, second and number: another number
      }
    }
  }

  /** Booked -> InProgress with this driver or, where none is named, with one that is likely to be free. Throws `DriverBusy`. */
  async accept(key: TripKey, details: Readonly<Record<string, Attribute>>, named?: Item): Promise<WrittenItem> {
    const driver = named ?? (await this.#free.take());
    const id = String(driver.DRIVER_ID);
    try {
      const accepted = await this.#step(key, 'accept', { ...details, ...driverAttributes(driver) });
      if (this.#driving.size >= MAX_KNOWN) this.#driving.clear();
      this.#driving.set(nameOf(key), begun(accepted, { ...details, DRIVER_ID: driver.DRIVER_ID! }));
      return accepted;
    } catch (error) {
      const busy = isBusy(error);
      if (!named && !busy) this.#free.release(id);
      if (!busy) throw error;
      this.#free.forget(id);
      throw new DriverBusy(id, !named);
    }
  }

  start(key: TripKey, details: Readonly<Record<string, Attribute>>): Promise<WrittenItem> {
    return this.#step(key, 'start', details, attributeAbsent('START_DATETIME'));
  }

  async complete(key: TripKey, details: Readonly<Record<string, Attribute>>): Promise<WrittenItem> {
    return this.#over(key, await this.#step(key, 'complete', details));
  }

  async cancel(key: TripKey, details: Readonly<Record<string, Attribute>>): Promise<WrittenItem> {
    return this.#over(key, await this.#step(key, 'cancel', details));
  }

  /** A driver by number. Throws 400. */
  async driver(id: number): Promise<Item> {
    const item = await this.#drivers.get({ driverid: String(id) });
    if (item) return item;
    throw new ClientError(400, `driver_id ${id} is no driver's.`);
  }

  /** The driver that this account is, when it accepts: one of the seeded ones by name, or one of its own, made at the first time. */
  async registered(name: string, email: string): Promise<Item> {
    const seeded = /^driver([1-9]\d{0,5})$/.exec(name);
    const id = seeded ? Number(seeded[1]) : 1_000_000 + numberOf(name, 1_000_000_000);
    const found = await this.#drivers.get({ driverid: String(id) });
    if (found) return found;
    const item = {
      driverid: String(id),
      DRIVER_ID: id,
      DRIVER_NAME: name,
      DRIVER_EMAIL: email,
      DRIVER_MOBILE: '+12125550100',
      VEHICLE_ID: `NYC-${String(id % 100_000).padStart(5, '0')}`,
      CAB_TYPE_ID: 1,
      VENDOR_ID: 1,
    };
    await this.#drivers.put(item, { condition: itemAbsent }).catch(isThere);
    return item;
  }

  /** The trip as it was accepted, as far as a completion needs it. Throws 404. */
  async begun(key: TripKey): Promise<Item> {
    return this.#driving.get(nameOf(key)) ?? (await this.get(key));
  }

  #over(key: TripKey, written: WrittenItem): WrittenItem {
    const name = nameOf(key);
    const { DRIVER_ID } = this.#driving.get(name) ?? written.value;
    this.#driving.delete(name);
    if (DRIVER_ID !== undefined) this.#free.release(String(DRIVER_ID));
    return written;
  }

  /** One transition. Throws 404, and 409 naming the state found. */
  async #step(
    key: TripKey,
    step: Step,
    details: Readonly<Record<string, Attribute>>,
    also?: Condition,
  ): Promise<WrittenItem> {
    const { from, to } = STEPS[step];
    const state = from.length === 1 ? equals('STATUS', from[0]) : oneOf('STATUS', from);
    try {
      const condition = also ? allOf(state, also) : state;
      return await this.#trips.update(key, { set: { ...details, STATUS: to } }, { condition });
    } catch (error) {
      if (!(error instanceof ItemConditionFailed)) throw error;
      if (!error.item) noTrip(key);
      throw wrongState(step, error.item);
    }
  }
}

/** A number from 0 to `below`, the same for the same text. */
export function numberOf(text: string, below: number): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) % below;
}

/** A trip is decoded only where its booking has told what a completion keeps. */
function begun(accepted: WrittenItem, known: Item): Item {
  return accepted.json.includes('"PASSENGER_COUNT"') ? accepted.value : known;
}

function driverAttributes(driver: Item): Record<string, Attribute> {
  const { driverid: _, ...attributes } = driver;
  return { ...attributes, DriverDetails: attributes };
}

function nameOf({ riderid, tripinfo }: Item): string {
  return `${riderid} ${tripinfo}`;
}

/** The unique index refused a driver who is on a trip. */
function isBusy(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' && constraint === 'trip_items_busy_driver';
}

function isThere(error: unknown): void {
  if (!(error instanceof ItemConditionFailed)) throw error;
}

function noTrip({ riderid, tripinfo }: TripKey): never {
  throw new ClientError(404, `There is no trip ${tripinfo} of ${riderid}.`);
}

function wrongState(step: Step, { STATUS }: Item): ClientError {
  const { from, to, done } = STEPS[step];
  const state = STATUS === to ? `${STATUS} already` : STATUS;
  // The state allows it, so it is refused for having been done: a start, which leads to no other state.
  const message = (from as readonly unknown[]).includes(STATUS)
    ? `This trip was ${done} already.`
    : `This trip is ${state}: only one that is ${from.join(' or ')} can be ${done}.`;
  return new ClientError(409, message, { members: { state: STATUS, step } });
}

/** A transaction's table as one by itself: the receipt is the transaction's, given when it is over. */
function written(table: ItemTransaction): Table {
  const stored = (value: Item): WrittenItem => ({
    value,
    receipt: { xid: null },
    get json() {
      return JSON.stringify(value);
    },
  });
  return {
    ...table,
    put: async (item, options) => stored(await table.put(item, options)),
    update: async (key, update, options) => stored(await table.update(key, update, options)),
  };
}
