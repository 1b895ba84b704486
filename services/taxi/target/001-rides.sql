-- The relational side: reference tables, what the projection writes, and what billing makes of it.
create table rides.cab_types (id integer primary key, name text not null);
create table rides.car_model (id integer primary key, name text not null, seats integer not null);
create table rides.payment_types (id integer primary key, name text not null);
create table rides.trip_status (id integer primary key, name text not null unique);
create table rides.rate_codes (id integer primary key, name text not null);
create table rides.vendors (id integer primary key, name text not null);

insert into rides.cab_types values (1, 'Yellow'), (2, 'Green');
insert into rides.car_model values (1, 'Sedan', 4), (2, 'Estate', 4), (3, 'Minivan', 6), (4, 'Wheelchair accessible', 4);
insert into rides.payment_types values (1, 'Credit card'), (2, 'Cash'), (3, 'No charge'), (4, 'Dispute');
insert into rides.trip_status values (1, 'Booked'), (2, 'InProgress'), (3, 'Completed'), (4, 'Cancelled'), (5, 'Processed');
insert into rides.rate_codes values (1, 'Standard'), (2, 'JFK'), (3, 'Newark'), (4, 'Nassau or Westchester'), (5, 'Negotiated'), (6, 'Group');
insert into rides.vendors values (1, 'Creative Mobile'), (2, 'VeriFone'), (3, 'Curb');

-- Projected from the riders' and drivers' items.
create table rides.riders (
  rider_id     bigint not null,
  rider_name   text not null,
  rider_email  text primary key,
  rider_mobile text not null
);
create table rides.drivers (
  driver_id     integer primary key,
  driver_name   text not null,
  driver_email  text not null,
  driver_mobile text not null,
  vehicle_id    text not null,
  cab_type_id   integer not null references rides.cab_types,
  vendor_id     integer not null references rides.vendors
);

-- Projected: one row for each completed trip. `status` is billing's, not the projection's: each row is updated once, by billing,
-- and finds room for that beside it (HOT: no index is touched).
create table rides.trips (
  rider_email           text collate "C" not null,
  trip_info             text collate "C" not null,
  id                    bigint not null,
  rider_id              bigint not null,
  driver_id             integer not null references rides.drivers,
  vehicle_id            text not null,
  cab_type_id           integer not null references rides.cab_types,
  vendor_id             integer not null references rides.vendors,
  rate_code_id          integer not null references rides.rate_codes,
  payment_type          integer not null references rides.payment_types,
  passenger_count       integer not null check (passenger_count between 1 and 9),
  pickup_datetime       timestamptz not null,
  dropoff_datetime      timestamptz not null check (dropoff_datetime >= pickup_datetime),
  pickup_longitude      numeric(9, 6) not null,
  pickup_latitude       numeric(8, 6) not null,
  dropoff_longitude     numeric(9, 6) not null,
  dropoff_latitude      numeric(8, 6) not null,
  trip_distance         numeric(8, 2) not null check (trip_distance >= 0),
  trip_type             integer not null,
  fare_amount           numeric(12, 2) not null,
  extra                 numeric(12, 2) not null,
  mta_tax               numeric(12, 2) not null,
  tip_amount            numeric(12, 2) not null,
  tolls_amount          numeric(12, 2) not null,
  improvement_surcharge numeric(12, 2) not null,
  total_amount          numeric(12, 2) not null,
  status                text not null default 'Completed',
  primary key (rider_email, trip_info),
  constraint total_is_the_sum check (
    total_amount = fare_amount + extra + mta_tax + tip_amount + tolls_amount + improvement_surcharge)
) with (fillfactor = 50);

-- What drivers earned in one cycle of billing.
create table rides.billing (
  billing_id      bigint generated always as identity primary key,
  cycle           bigint not null,
  driver_id       integer not null,
  ride_count      integer not null,
  total_amount    numeric(14, 2) not null,
  -- The driver's share.
  commission      numeric(4, 3) not null default 0.8,
  billing_start   timestamptz not null,
  billing_end     timestamptz not null,
  billing_date    timestamptz not null default now(),
  status          text not null default 'Processed',
  unique (cycle, driver_id)
);

create table rides.payment (
  payment_id     bigint generated always as identity primary key,
  billing_id     bigint not null unique references rides.billing,
  driver_id      integer not null,
  amount         numeric(14, 2) not null,
  payment_date   timestamptz not null default now(),
  status         text not null default 'Processed'
);

-- The mark that counts: a trip has one at most, whatever becomes of its row in `trips`. With what was billed for it.
create table rides.billed_trips (
  rider_email      text collate "C" not null,
  trip_info        text collate "C" not null,
  cycle            bigint not null,
  driver_id        integer not null,
  total_amount     numeric(12, 2) not null,
  pickup_datetime  timestamptz not null,
  dropoff_datetime timestamptz not null,
  primary key (rider_email, trip_info)
);

create sequence rides.billing_cycle;

/*
 * Bills every completed trip that is not billed yet: one billing a driver, one payment a billing, one mark a trip. One at a
 * time, the others wait; a trip that is completed meanwhile is the next call's. All of it or nothing.
 */
create procedure rides.billingandpayments() language plpgsql as $$
declare
  this_cycle bigint;
  trips_billed bigint;
  drivers_billed bigint;
  paid bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('rides.billingandpayments', 0));
  this_cycle := nextval('rides.billing_cycle');

  -- One statement, one snapshot: what is marked is what is summed. A row that was made anew after it had been billed is
  -- Processed again, and has its mark.
  with processed as (
    update rides.trips set status = 'Processed' where status = 'Completed'
    returning rider_email, trip_info, driver_id, total_amount, pickup_datetime, dropoff_datetime
  ),
  marked as (
    insert into rides.billed_trips (rider_email, trip_info, cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime)
    select rider_email, trip_info, this_cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime from processed
    on conflict do nothing
    returning driver_id, total_amount, pickup_datetime, dropoff_datetime
  ),
  billed as (
    insert into rides.billing (cycle, driver_id, ride_count, total_amount, billing_start, billing_end)
    select this_cycle, driver_id, count(*), sum(total_amount), min(pickup_datetime), max(dropoff_datetime)
      from marked group by driver_id order by driver_id
    returning ride_count
  )
  select count(*), coalesce(sum(ride_count), 0) into drivers_billed, trips_billed from billed;
  raise notice 'billing: % trips of % drivers in cycle %', trips_billed, drivers_billed, this_cycle;

  insert into rides.payment (billing_id, driver_id, amount)
  select billing_id, driver_id, round(total_amount * commission, 2) from rides.billing where cycle = this_cycle;
  get diagnostics paid = row_count;
  raise notice 'payments: %', paid;
end $$;

-- `call billingandpayments();` from any client, whatever its search_path.
create or replace procedure public.billingandpayments() language sql as 'call rides.billingandpayments()';
