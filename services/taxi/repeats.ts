import { type Item, idempotent, type PgRecord, type User, type Written } from '../../src/index.ts';
import { DriverBusy, type Trips } from './trips.ts';

/** Guesses at a free driver. */
const MAX_GUESSES = 50;

export interface Request {
  readonly user: User;
  readonly key: string;
  /** What the request says: the same key with another one is refused. */
  readonly fingerprint: unknown;
}

/** Does a step once for each key of a user, in one transaction with the key's answer. */
export class Repeats {
  readonly #record: PgRecord;
  readonly #trips: Trips;

  constructor(options: { record: PgRecord; trips: Trips }) {
    this.#record = options.record;
    this.#trips = options.trips;
  }

  async once(
    { user, key, fingerprint }: Request,
    step: (trips: Trips) => Promise<Written<Item>>,
  ): Promise<Written<Item>> {
    const name = { scope: `taxi:${user.sub}`, key, fingerprint };
    const { value, receipt } = await this.#record.transaction((tx) =>
      idempotent(tx, name, async () => (await step(this.#trips.within(tx))).value),
    );
    return { value: value.value, receipt };
  }
}

/** Again with another driver where the one that was guessed is on a trip. */
export async function guessing<T>(work: () => Promise<T>): Promise<T> {
  for (let guesses = 1; ; guesses++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DriverBusy && error.guessed) || guesses === MAX_GUESSES) throw error;
    }
  }
}
