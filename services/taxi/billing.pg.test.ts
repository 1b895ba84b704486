import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { PgRecord } from '../../src/index.ts';
import { testDatabase } from '../../src/testing/database.ts';

const FOLDER = new URL('./target/', import.meta.url);
const FILES = readdirSync(FOLDER).toSorted();

/** Completed trips `$1 ... $2`, as the projection writes them. */
const COMPLETED = (table: string) => `
  insert into rides.${table} (rider_email, trip_info, id, rider_id, driver_id, vehicle_id, cab_type_id, vendor_id, rate_code_id, payment_type,
    passenger_count, pickup_datetime, dropoff_datetime, pickup_longitude, pickup_latitude, dropoff_longitude, dropoff_latitude, trip_distance,
    trip_type, fare_amount, extra, mta_tax, tip_amount, tolls_amount, improvement_surcharge, total_amount)
  select 'person' || n || '@example.com', 'trip' || n, n, n, 1 + n % 2000, 'v', 1, 1, 1, 1, 1, now(), now(), -73.9, 40.7, -73.9, 40.7, 1, 1,
    n % 50 + 0.37, 0, 0.5, 0, 0, 1, n % 50 + 0.37 + 0.5 + 1
    from generate_series($1::integer, $2::integer) n`;
const INSERT = COMPLETED('completed_trips');

interface Sums {
  readonly trips: number;
  readonly rides: number;
  readonly marks: number;
  readonly processed: number;
  readonly completed: string;
  readonly billed: string;
  readonly unbilled: string;
  readonly billings: number;
  readonly payments: number;
}

const SUMS = `
  select (select count(*) from rides.trips)::integer as trips, (select coalesce(sum(ride_count), 0) from rides.billing)::integer as rides,
    (select count(*) from rides.billed_trips)::integer as marks,
    (select count(*) from rides.trips where status = 'Processed')::integer as processed,
    (select sum(total_amount) from rides.trips)::text as completed, (select coalesce(sum(total_amount), 0) from rides.billing)::text as billed,
    (select coalesce(sum(total_amount), 0) from rides.trips where status = 'Completed')::text as unbilled,
    (select count(*) from rides.billing)::integer as billings, (select count(*) from rides.payment)::integer as payments`;

/** The relational side as the first so many migrations make it. */
async function rides(t: TestContext, migrations = FILES.length): Promise<PgRecord> {
  const { record } = await testDatabase(t);
  await record.query('create schema rides');
  for (const file of FILES.slice(0, migrations)) await apply(record, file);
  await record.query(
    `insert into rides.drivers select n, 'driver' || n, 'd@example.com', '+1', 'v', 1, 1 from generate_series(1, 2000) n`,
  );
  return record;
}

async function apply(record: PgRecord, file: string): Promise<void> {
  await record.transaction((tx) => tx.query(readFileSync(new URL(file, FOLDER), 'utf8')));
}

const bill = (record: PgRecord) => record.query('call billingandpayments()');

async function sums(record: PgRecord): Promise<Sums> {
  const [found] = await record.query<Sums>(SUMS);
  const cents = (amount: string) => Math.round(Number(amount) * 100);
  assert.equal(
    cents(found!.billed) + cents(found!.unbilled),
    cents(found!.completed),
    'billed and unbilled are what was completed',
  );
  assert.deepEqual([found!.rides, found!.processed, found!.payments], [found!.marks, found!.marks, found!.billings]);
  return found!;
}

test('concurrent billing bills nothing twice, and the sums reconcile', async (t) => {
  const record = await rides(t);
  await record.query(INSERT, [1, 2000]);
  await Promise.all([bill(record), bill(record), bill(record), record.query(INSERT, [2001, 2500]), bill(record)]);
  assert.ok((await sums(record)).rides >= 2000);
  await bill(record);
  const { rides: billed, unbilled, billings } = await sums(record);
  assert.deepEqual([billed, unbilled], [2500, '0']);
  await bill(record);
  assert.equal((await sums(record)).billings, billings);
});

test('a trip whose transaction began before others were billed, and ended after, is billed by the next call', async (t) => {
  const record = await rides(t);
  await record.transaction(async (tx) => {
    await tx.query(INSERT, [1, 1]);
    await record.query(INSERT, [2, 3]);
    await bill(record);
    assert.equal((await sums(record)).rides, 2);
    await record.query(INSERT, [4, 4]);
    await bill(record);
    assert.equal((await sums(record)).rides, 3);
  });
  await bill(record);
  assert.deepEqual([(await sums(record)).rides, (await sums(record)).unbilled], [4, '0']);
});

test('a row that was made anew keeps its bill', async (t) => {
  const record = await rides(t);
  await record.query(INSERT, [1, 10]);
  await bill(record);
  await record.query('delete from rides.completed_trips');
  await record.query(INSERT, [1, 11]);
  assert.equal((await sums(record)).processed, 10);
  await bill(record);
  assert.equal((await sums(record)).rides, 11);
});

test('a database whose transaction ids began anew is looked at whole', async (t) => {
  const record = await rides(t);
  await record.query(INSERT, [1, 5]);
  await bill(record);
  await record.query(`update rides.billing_progress set seen_before = 1e15`);
  await record.query(INSERT, [6, 9]);
  await bill(record);
  assert.equal((await sums(record)).rides, 9);
  await record.query(INSERT, [10, 12]);
  await bill(record);
  assert.equal((await sums(record)).rides, 12);
});

test('trips that were there before their status was read from the marks are billed once', async (t) => {
  const before = FILES.indexOf('004-billing.sql');
  const record = await rides(t, before);
  await record.query(COMPLETED('trips'), [1, 5]);
  await bill(record);
  await record.query(COMPLETED('trips'), [6, 7]);
  for (const file of FILES.slice(before)) await apply(record, file);
  const { processed, trips } = await sums(record);
  assert.deepEqual([processed, trips], [5, 7]);
  await record.query(INSERT, [8, 9]);
  await bill(record);
  assert.equal((await sums(record)).rides, 9);
});
