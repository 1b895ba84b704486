create schema if not exists taxi;

-- Item tables: as `itemTableSql` gives them for the definitions in items.ts.
create table taxi.trip_items (
  riderid text collate "C" not null,
  tripinfo text collate "C" not null,
  attributes jsonb not null,
  primary key (riderid, tripinfo)
);
create index trip_items_status on taxi.trip_items (((attributes ->> 'STATUS') collate "C"), tripinfo, riderid);
create index trip_items_driver on taxi.trip_items (((attributes ->> 'DRIVER_EMAIL') collate "C"), tripinfo, riderid);
create table taxi.rider_items (
  riderid text collate "C" not null,
  attributes jsonb not null,
  primary key (riderid)
);
create table taxi.driver_items (
  driverid text collate "C" not null,
  attributes jsonb not null,
  primary key (driverid)
);

-- A driver is on one trip at a time: what keeps two nodes from assigning one driver twice.
create unique index trip_items_busy_driver on taxi.trip_items ((attributes ->> 'DRIVER_ID'))
  where attributes ->> 'STATUS' = 'InProgress';

-- Trips are updated twice and never grow old: room for the new versions beside the old ones.
alter table taxi.trip_items set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

insert into taxi.rider_items (riderid, attributes)
select 'person' || n || '@example.com', jsonb_build_object(
    'RIDER_ID', n, 'RIDER_NAME', 'person' || n, 'RIDER_EMAIL', 'person' || n || '@example.com',
    'RIDER_MOBILE', '+1' || (2000000000 + (n * 7919::bigint) % 7999999999))
  from generate_series(1, 5000) n;

insert into taxi.driver_items (driverid, attributes)
select n::text, jsonb_build_object(
    'DRIVER_ID', n, 'DRIVER_NAME', 'driver' || n, 'DRIVER_EMAIL', 'driver' || n || '@example.com',
    'DRIVER_MOBILE', '+1' || (2000000000 + (n * 104729::bigint) % 7999999999),
    'VEHICLE_ID', 'NYC-' || lpad(((n * 37) % 100000)::text, 5, '0'), 'CAB_TYPE_ID', 1 + n % 2, 'VENDOR_ID', 1 + n % 3)
  from generate_series(1, 2000) n;
