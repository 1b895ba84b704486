import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientError, type Item, type PgRecord } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { acceptDetails, bookingDetails, completeDetails } from './details.ts';
import { STEPS, type Step } from './items.ts';
import { guessing } from './repeats.ts';
import { type TripKey, Trips } from './trips.ts';

const TRIPS = 3;
const DRIVERS = [1, 2];

/** What concurrent callers do: a step of one of the trips, on one of two nodes; accepting by a named driver or any. */
const call = fc.record({
  node: fc.constantFrom(0, 1),
  trip: fc.nat({ max: TRIPS - 1 }),
  step: fc.constantFrom<Step>('accept', 'accept', 'start', 'complete', 'cancel'),
  driver: fc.constantFrom(...DRIVERS, undefined),
});

type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

test('concurrent callers: no illegal transition, no driver on two trips', async (t) => {
  const { record } = await testApp(t);
  const nodes = [new Trips({ record }), new Trips({ record })];
  const property = fc.asyncProperty(
    fc.array(fc.array(call, { minLength: 1, maxLength: 12 }), { maxLength: 6 }),
    async (turns) => {
      await record.query('delete from taxi.trip_items');
      const keys = await Promise.all(Array.from({ length: TRIPS }, (_, i) => booked(nodes[0]!, i)));
      const history = keys.map(() => ['Booked']);
      for (const calls of turns) {
        const outcomes = await Promise.all(calls.map((each) => attempt(nodes[each.node]!, keys[each.trip]!, each)));
        await checkTurn(record, keys, history, calls, outcomes);
      }
    },
  );
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
});

async function booked(trips: Trips, i: number): Promise<TripKey> {
  const rider = { id: i + 1, name: `person${i + 1}`, email: `person${i + 1}@example.com`, mobile: '+10000000' };
  const { value } = await trips.book(rider, bookingDetails({}));
  return { riderid: String(value.riderid), tripinfo: String(value.tripinfo) };
}

/** The trip after the step, or how it was refused. */
async function attempt(trips: Trips, key: TripKey, { step, driver }: Call): Promise<Item | ClientError> {
  try {
    return (await run(trips, key, step, driver)).value;
  } catch (error) {
    assert.ok(error instanceof ClientError && error.status === 409, String(error));
    return error;
  }
}

async function run(trips: Trips, key: TripKey, step: Step, driver: number | undefined) {
  if (step === 'accept') {
    const named = driver === undefined ? undefined : await trips.driver(driver);
    return guessing(() => trips.accept(key, acceptDetails({}), named));
  }
  if (step === 'complete') return trips.complete(key, completeDetails(await trips.get(key), {}));
  return step === 'start' ? trips.start(key, { START_DATETIME: 'now' }) : trips.cancel(key, {});
}

/** The steps that were done explain, in some order, the state that each trip is in. */
async function checkTurn(
  record: PgRecord,
  keys: readonly TripKey[],
  history: string[][],
  calls: readonly Call[],
  outcomes: readonly (Item | ClientError)[],
): Promise<void> {
  for (const [i, key] of keys.entries()) {
    const done = calls
      .filter((each, n) => each.trip === i && !(outcomes[n] instanceof ClientError))
      .map(({ step }) => step);
    for (const step of done.filter((each) => each !== 'start').toSorted(byOrder)) {
      const { from, to } = STEPS[step];
      assert.ok((from as readonly string[]).includes(history[i]!.at(-1)!), `${step} from ${history[i]}`);
      history[i]!.push(to);
    }
    const [row] = await record.query<{ status: string }>(
      `select attributes ->> 'STATUS' as status from taxi.trip_items where riderid = $1 and tripinfo = $2`,
      [key.riderid, key.tripinfo],
    );
    assert.equal(row!.status, history[i]!.at(-1));
  }
  const busy = await record.query(
    `select attributes ->> 'DRIVER_ID' from taxi.trip_items where attributes ->> 'STATUS' = 'InProgress' group by 1 having count(*) > 1`,
  );
  assert.deepEqual(busy, []);
}

const ORDER: readonly Step[] = ['accept', 'start', 'complete', 'cancel'];

function byOrder(a: Step, b: Step): number {
  return ORDER.indexOf(a) - ORDER.indexOf(b);
}
