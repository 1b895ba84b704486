import { ClientError, decodeAttributes, type Item, type PgRecord } from '../../src/index.ts';

/** Drivers looked for at once when this node knows of no free one. */
const BATCH = 2000;

const FREE = `
  select driverid, attributes::text as attributes from taxi.driver_items d
   where not exists (select from taxi.trip_items t
     where t.attributes ->> 'STATUS' = 'InProgress' and t.attributes ->> 'DRIVER_ID' = d.driverid)
   order by random() limit ${BATCH}`;

/**
 * Who may be free. Only a guess, kept in memory: that a driver is on one trip at a time is seen to by the record (a unique
 * index), and whoever guessed wrong tries another one.
 */
export class FreeDrivers {
  readonly #record: PgRecord;
  readonly #free = new Map<string, Item>();
  /** On a trip that this node has assigned. */
  readonly #busy = new Map<string, Item>();
  #looking: Promise<void> | undefined;

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  /** One that is likely to be free, and is not given to anybody else by this node. Throws 409 when there is none. */
  async take(): Promise<Item> {
    for (let looks = 0; looks < 2; looks++) {
      const [first] = this.#free;
      if (first) {
        this.#free.delete(first[0]);
        this.#busy.set(...first);
        return first[1];
      }
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    throw new ClientError(409, 'Every driver is on a trip. Try again in a moment.', {
      headers: { 'retry-after': '1' },
    });
  }

  /** The driver's trip is over, or was not begun. */
  release(driverId: string): void {
    const driver = this.#busy.get(driverId);
    this.#busy.delete(driverId);
    if (driver) this.#free.set(driverId, driver);
  }

  /** Another node or another caller has the driver. */
  forget(driverId: string): void {
    this.#busy.delete(driverId);
  }

  async #look(): Promise<void> {
    const rows = await this.#record.query<{ driverid: string; attributes: string }>(FREE);
    for (const { driverid, attributes } of rows) {
      if (!this.#busy.has(driverid)) this.#free.set(driverid, decodeAttributes(attributes));
    }
  }
}
