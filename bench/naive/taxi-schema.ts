/** The same items with fewer indexes, and the row without references: the naive way's advantage. */
export const TAXI_SCHEMA = `
  drop table if exists trip_items, drivers, trips;
  create table trip_items (riderid text, tripinfo text, attributes jsonb not null, primary key (riderid, tripinfo));
  create index on trip_items ((attributes ->> 'STATUS'), tripinfo);
  create table drivers (id integer primary key, attributes jsonb not null);
  insert into drivers select n, jsonb_build_object('DRIVER_ID', n, 'DRIVER_NAME', 'driver' || n,
    'DRIVER_EMAIL', 'driver' || n || '@example.com', 'DRIVER_MOBILE', '+12125550100', 'VEHICLE_ID', 'NYC-' || n,
    'CAB_TYPE_ID', 1, 'VENDOR_ID', 1) from generate_series(1, 2000) n;
  create table trips (
    rider_email text, trip_info text, id bigint, rider_id bigint, driver_id integer, rate_code_id integer,
    payment_type integer, passenger_count integer, pickup_datetime timestamptz, dropoff_datetime timestamptz,
    pickup_longitude numeric(9, 6), pickup_latitude numeric(8, 6), dropoff_longitude numeric(9, 6),
    dropoff_latitude numeric(8, 6), trip_distance numeric(8, 2), fare_amount numeric(12, 2), extra numeric(12, 2),
    mta_tax numeric(12, 2), tip_amount numeric(12, 2), total_amount numeric(12, 2),
    primary key (rider_email, trip_info)
  );`;
