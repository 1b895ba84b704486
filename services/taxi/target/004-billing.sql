/*
 * Whether a trip is billed is its mark in `billed_trips`, and nothing else: `trips.status` is read from there, and cannot say
 * anything else. Billing makes one mark a trip, and no second version of the trip's row.
 */
alter table rides.trips rename to completed_trips;
alter table rides.completed_trips rename constraint trips_pkey to completed_trips_pkey;
alter table rides.completed_trips drop column status;
alter table rides.completed_trips reset (fillfactor);

-- The transaction that made the row: by it billing finds what came since the last time, whatever the trips' own times are.
alter table rides.completed_trips add column projected_by bigint not null default 0;
alter table rides.completed_trips alter column projected_by set default pg_current_xact_id()::text::bigint;

-- Rows come in the order of both, or nearly: ranges of pages tell them apart, at hardly any cost for a new row.
create index completed_trips_came on rides.completed_trips using brin (projected_by, dropoff_datetime)
  with (pages_per_range = 32, autosummarize = on);

create view rides.trips as
select t.rider_email, t.trip_info, t.id, t.rider_id, t.driver_id, t.vehicle_id, t.cab_type_id, t.vendor_id, t.rate_code_id,
       t.payment_type, t.passenger_count, t.pickup_datetime, t.dropoff_datetime, t.pickup_longitude, t.pickup_latitude,
       t.dropoff_longitude, t.dropoff_latitude, t.trip_distance, t.trip_type, t.fare_amount, t.extra, t.mta_tax, t.tip_amount,
       t.tolls_amount, t.improvement_surcharge, t.total_amount,
       case when b.rider_email is null then 'Completed' else 'Processed' end as status
  from rides.completed_trips t
  left join rides.billed_trips b on b.rider_email = t.rider_email and b.trip_info = t.trip_info;

-- Trips of transactions before this one were seen by a billing that is done.
create table rides.billing_progress (seen_before bigint not null);
insert into rides.billing_progress values (0);

/*
 * Bills every completed trip that is not billed yet: one billing a driver, one payment a billing, one mark a trip. One at a
 * time, the others wait; a trip that is completed meanwhile is the next call's. All of it or nothing.
 */
create or replace procedure rides.billingandpayments() language plpgsql set work_mem = '256MB' as $$
declare
  this_cycle bigint;
  since bigint;
  up_to bigint := 0;
  trips_billed bigint;
  drivers_billed bigint;
  paid bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('rides.billingandpayments', 0));
  this_cycle := nextval('rides.billing_cycle');

  -- Which transactions ended before now: what the next statement does not see is not among them. In a database whose transaction
  -- ids began anew (a dump that was restored), all trips are looked at once.
  select case when seen_before <= pg_snapshot_xmin(now.seen)::text::bigint then seen_before else 0 end,
         pg_snapshot_xmin(now.seen)::text::bigint
    into strict since, up_to from rides.billing_progress, pg_current_snapshot() as now (seen);

  -- The marks in the order of their index, so that it grows at its end. One at a time, so nobody else makes any meanwhile; whoever
  -- did by hand would end this with an error, and nothing would be billed.
  with marked as (
    insert into rides.billed_trips (rider_email, trip_info, cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime)
    select rider_email, trip_info, this_cycle, driver_id, total_amount, pickup_datetime, dropoff_datetime
      from rides.completed_trips t
     where projected_by >= since and not exists (
       select from rides.billed_trips b where b.rider_email = t.rider_email and b.trip_info = t.trip_info)
     order by rider_email, trip_info
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

  update rides.billing_progress set seen_before = up_to;
end $$;
