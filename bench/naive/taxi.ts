// The naive taxi as a process: prints `listening PORT`, ends at SIGTERM. One statement a call, and on completion a second
// one that inserts the row: the dual write, within one database. A crash between the two loses the row.
import { randomInt } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';
import { TAXI_SCHEMA } from './taxi-schema.ts';

const { databaseUrl, poolSize } = JSON.parse(process.env.NAIVE!) as { databaseUrl: string; poolSize: number };
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
await pool.query(TAXI_SCHEMA);
const free = (await pool.query('select attributes from taxi.driver_items')).rows as { attributes: Attributes }[];

type Attributes = Record<string, unknown>;
interface Call {
  Querystring: { rider_id: string; rider_mobile: string; trip_info: string };
}

const statement = (name: string, text: string) => (values: unknown[]) => pool.query({ name, text, values });
const insertItem = statement('book', 'insert into taxi.trip_items (riderid, tripinfo, attributes) values ($1, $2, $3)');
const update = statement(
  'step',
  `update taxi.trip_items set attributes = attributes || $3 where riderid = $1 and tripinfo = $2
      and attributes ->> 'STATUS' = $4 returning attributes`,
);
/** Attributes that are columns of the row. */
const ROW =
  `ID RIDER_ID DRIVER_ID VEHICLE_ID CAB_TYPE_ID VENDOR_ID RATE_CODE_ID PAYMENT_TYPE PASSENGER_COUNT PICKUP_DATETIME
  DROPOFF_DATETIME PICKUP_LONGITUDE PICKUP_LATITUDE DROPOFF_LONGITUDE DROPOFF_LATITUDE TRIP_DISTANCE TRIP_TYPE FARE_AMOUNT EXTRA
  MTA_TAX TIP_AMOUNT TOLLS_AMOUNT IMPROVEMENT_SURCHARGE TOTAL_AMOUNT`.split(/\s+/);
const insertRow = statement(
  'row',
  `insert into rides.completed_trips (rider_email, trip_info, ${ROW.map((name) => name.toLowerCase()).join(', ')})
   values ($1, $2, ${ROW.map((_, i) => `$${i + 3}`).join(', ')})`,
);

const app = Fastify();
const emailOf = (rider: string) => `person${rider}@example.com`;

app.get<Call>('/taxi/riderbook', async ({ query }) => {
  const now = new Date().toISOString();
  const id = randomInt(1_000_000, 10_000_000);
  const [riderid, tripinfo] = [emailOf(query.rider_id), `${now.slice(0, 19)}Z,${id}`];
  const attributes = {
    ID: id,
    RIDER_ID: Number(query.rider_id),
    RIDER_NAME: `person${query.rider_id}`,
    RIDER_EMAIL: riderid,
    RIDER_MOBILE: query.rider_mobile,
    PICKUP_DATETIME: now,
    STATUS: 'Booked',
  };
  await insertItem([riderid, tripinfo, attributes]);
  return { riderid, tripinfo, ...attributes };
});

app.get<Call>('/taxi/driveraccept', async ({ query }, reply) => {
  const driver = free.pop()!;
  const set = {
    ...driver.attributes,
    DriverDetails: driver.attributes,
    PICKUP_LONGITUDE: -73.9876,
    PICKUP_LATITUDE: 40.7512,
    TRIP_TYPE: 1,
    STORE_AND_FWD_FLAG: 'N',
    STATUS: 'InProgress',
  };
  const { rows } = await update([emailOf(query.rider_id), query.trip_info, set, 'Booked']);
  if (rows.length === 0) return reply.code(409).send({ message: 'not Booked' });
  return { riderid: emailOf(query.rider_id), tripinfo: query.trip_info, ...rows[0].attributes };
});

app.get<Call>('/taxi/drivercomplete', async ({ query }, reply) => {
  const fare = 300 + randomInt(5000);
  const dollars = (cents: number) => cents / 100;
  const set = {
    DROPOFF_DATETIME: new Date().toISOString(),
    DROPOFF_LONGITUDE: -73.9581,
    DROPOFF_LATITUDE: 40.7744,
    TRIP_DISTANCE: 2.35,
    FARE_AMOUNT: dollars(fare),
    EXTRA: 0,
    MTA_TAX: 0.5,
    TIP_AMOUNT: 1.2,
    TOLLS_AMOUNT: 0,
    IMPROVEMENT_SURCHARGE: 1,
    TOTAL_AMOUNT: dollars(fare + 270),
    RATE_CODE_ID: 1,
    PAYMENT_TYPE: 1,
    PASSENGER_COUNT: 1,
    STATUS: 'Completed',
  };
  const riderid = emailOf(query.rider_id);
  const { rows } = await update([riderid, query.trip_info, set, 'InProgress']);
  if (rows.length === 0) return reply.code(409).send({ message: 'not InProgress' });
  const item = rows[0].attributes as Record<string, string & number>;
  await insertRow([riderid, query.trip_info, ...ROW.map((name) => item[name])]);
  free.push({ attributes: item.DriverDetails as unknown as Attributes });
  return { riderid, tripinfo: query.trip_info, ...item };
});

await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => {
  app.server.closeAllConnections();
  app.server.close(async () => {
    await pool.end();
    process.exit(0);
  });
});
