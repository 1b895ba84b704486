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
  /** In the order in which they were freed; those before `#next` are taken. */
  readonly #free: Item[] = [];
  #next = 0;
  /** On a trip that this node has assigned. */
  readonly #busy = new Map<string, Item>();
  #looking: Promise<void> | undefined;

  constructor(options: { record: PgRecord }) {
    this.#record = options.record;
  }

  /** One that is likely to be free, and is not given to anybody else by this node. Throws 409 when there is none. */
  async take(): Promise<Item> {
    for (let looks = 0; looks < 2; looks++) {
      const driver = this.#shift();
      if (driver) return driver;
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
    if (this.#busy.delete(driverId)) this.#free.push(driver!);
  }

  /** Another node or another caller has the driver. */
  forget(driverId: string): void {
    this.#busy.delete(driverId);
  }

  /** The one who has been free for longest. (A map that is emptied from its front is slow: what was deleted is stepped over.) */
  #shift(): Item | undefined {
    const driver = this.#free[this.#next];
    if (!driver) return undefined;
    this.#next++;
    if (this.#next * 2 > this.#free.length) {
      this.#free.splice(0, this.#next);
      this.#next = 0;
    }
    this.#busy.set(String(driver.DRIVER_ID), driver);
    return driver;
  }

  async #look(): Promise<void> {
    const rows = await this.#record.query<{ driverid: string; attributes: string }>(FREE);
    const known = new Set(this.#free.slice(this.#next).map(({ DRIVER_ID }) => String(DRIVER_ID)));
    for (const { driverid, attributes } of rows) {
      if (!this.#busy.has(driverid) && !known.has(driverid)) this.#free.push(decodeAttributes(attributes));
    }
  }
}
